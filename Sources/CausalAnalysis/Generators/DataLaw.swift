#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import MetaLearnersCore

/// A law that data are drawn from, so that the truth is known: of each row the probability of every arm and the expected
/// outcome in it.
///
/// A type that conforms is one file, and its line in `LawRegistry.default` brings it to the command line and to every
/// binding. Row i of a law depends on the parameters and on i alone: more rows begin with the same ones, and no number of
/// threads changes a bit.
public protocol DataLaw: ParameterizedSpec {
    /// The name in requests: lower case, words joined by underscores.
    static var name: String { get }
    /// What tables and reports call it.
    static var title: String { get }
    /// What it is good for, in one sentence.
    static var summary: String { get }
    /// Where it is from.
    static var source: String { get }

    /// How many rows are drawn where nobody says.
    var rows: Int { get set }
    /// The seed of everything that is drawn.
    var seed: Int { get set }

    /// The columns and the outcome.
    var shape: LawShape { get }

    /// Numbers that are drawn once for all rows, such as coefficients, under the names of the formulas.
    var constants: [LawConstant] { get }

    /// Draws what is known of a unit before it is treated: as many numbers as `shape.covariates` and `shape.hidden` have
    /// names, codes of levels for categories. `cluster` are the numbers that `drawCluster` gave to the unit's cluster.
    func drawCovariates(_ stream: inout RandomStream, cluster: [Double]) -> [Double]

    /// Draws the numbers that all units of a cluster share; none for a law without clusters.
    func drawCluster(_ stream: inout RandomStream) -> [Double]

    /// What the law says of a unit with these covariates.
    func truth(_ x: [Double], _ constants: [LawConstant], cluster: [Double]) -> LawTruth
}

extension DataLaw {
    public var constants: [LawConstant] { [] }
    public func drawCluster(_ stream: inout RandomStream) -> [Double] { [] }
}

/// The columns and the outcome of a law.
public struct LawShape: Sendable, Equatable {
    /// How outcomes are drawn around what is expected.
    public enum Noise: Sendable, Equatable {
        /// Normal, of that standard deviation.
        case normal(Double)
        /// 1 with the expected outcome as its probability, else 0.
        case bernoulli
        /// Poisson, of that mean.
        case poisson
    }

    /// A column of covariates.
    public struct Covariate: Sendable, Equatable {
        /// The name.
        public let name: String
        /// The levels of a category, of which a row has the code; nil for numbers.
        public let levels: [String]?

        /// Creates a column.
        public init(_ name: String, levels: [String]? = nil) {
            self.name = name
            self.levels = levels
        }
    }

    /// What models may see.
    public var covariates: [Covariate]
    /// What arms or outcomes depend on beside: nobody sees it.
    public var hidden: [String] = []
    /// The arms, the control first.
    public var arms = ["0", "1"]
    /// How outcomes are drawn.
    public var noise = Noise.normal(1)
    /// The units of each cluster; nil where units are independent.
    public var clusterSize: Int?
    /// Whether whole clusters are in one arm.
    public var treatsClusters = false
    /// Columns that are there for those who decide, and no covariates: a cost, say. They are given with the covariates, behind
    /// the hidden ones.
    public var extras: [String] = []

    /// Creates a shape with covariates x1, x2, ….
    public init(columns: Int) {
        covariates = (0..<columns).map { Covariate("x\($0 + 1)") }
    }

    /// Creates a shape with covariates of their own names.
    public init(_ covariates: [Covariate]) { self.covariates = covariates }
}

/// Numbers that a law draws once.
public struct LawConstant: Sendable, Equatable {
    /// The name in the formulas.
    public let name: String
    /// The numbers.
    public let values: [Double]

    /// Creates a constant.
    public init(_ name: String, _ values: [Double]) {
        self.name = name
        self.values = values
    }
}

/// What a law says of one unit.
public struct LawTruth: Sendable, Equatable {
    /// The probability of each arm.
    public let propensities: [Double]
    /// The expected outcome in each arm.
    public let means: [Double]

    /// Creates the truth of a unit.
    public init(propensities: [Double], means: [Double]) {
        self.propensities = propensities
        self.means = means
    }

    /// The truth of a unit of two arms, e(x) being the probability of treatment.
    public init(propensity: Double, control: Double, effect: Double) {
        self.init(propensities: [1 - propensity, propensity], means: [control, control + effect])
    }
}

extension Parameter where Spec: DataLaw {
    /// The keys that every law has.
    static func common(
        rows: any WritableKeyPath<Spec, Int> & Sendable, seed: any WritableKeyPath<Spec, Int> & Sendable
    )
        -> [Parameter]
    {
        [
            .integer("rows", rows, in: 1...Int(Int32.max), "how many rows"),
            .integer("seed", seed, in: 0...Int.max, "seed of everything that is drawn"),
        ]
    }

    /// The key `columns`.
    static func columns(_ path: any WritableKeyPath<Spec, Int> & Sendable, atLeast least: Int) -> Parameter {
        .integer(
            "columns", path, in: least...10_000,
            "how many covariates; those beyond the ones in the formulas are noise")
    }

    /// The key `noise`.
    static func noise(_ path: any WritableKeyPath<Spec, Double> & Sendable) -> Parameter {
        .number("noise", path, in: 0...1e6, "standard deviation of the normal noise of outcomes")
    }

    /// The key `effect`.
    static func effect(_ path: any WritableKeyPath<Spec, Double> & Sendable) -> Parameter {
        .number("effect", path, in: -1e6...1e6, "factor of the effect: 0 for none at all")
    }
}

/// Functions that several laws are made of.
enum LawFunctions {
    /// 1/(1 + e^−x).
    static func logistic(_ x: Double) -> Double { Logistic.share(x) }

    /// The density of the beta distribution with parameters 2 and 4: 20 x (1 − x)³.
    static func beta24(_ x: Double) -> Double { 20 * x * (1 - x) * (1 - x) * (1 - x) }

    /// Standard normal covariates.
    static func normals(_ count: Int, _ stream: inout RandomStream) -> [Double] {
        (0..<count).map { _ in stream.standardNormal() }
    }

    /// Covariates uniform on [0, 1).
    static func uniforms(_ count: Int, _ stream: inout RandomStream) -> [Double] {
        (0..<count).map { _ in stream.uniform() }
    }
}

extension RandomStream {
    /// A number from the standard normal distribution, by the method of Box & Muller (1958); two uniform draws.
    mutating func standardNormal() -> Double {
        let radius = (-2 * Double.log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    /// A number from the Poisson distribution, by inversion; one uniform draw. O(mean).
    mutating func poisson(_ mean: Double) -> Double {
        var probability = Double.exp(-mean)
        var left = uniform() - probability
        var count = 0.0
        while left >= 0, probability > 0 || count < mean {
            count += 1
            probability *= mean / count
            left -= probability
        }
        return count
    }
}
