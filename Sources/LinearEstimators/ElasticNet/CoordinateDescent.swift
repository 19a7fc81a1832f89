import MetaLearnersCore

/// A solution that goes along a decreasing sequence of penalties.
protocol PathDescent: AnyObject {
    /// The largest covariance of a column with the response: times 1/ratio, the least λ at which every coefficient is 0.
    var largestMoment: Double { get }
    /// One for each column.
    var coefficients: [Double] { get }
    /// Whether the last penalty was solved to full precision.
    var converged: Bool { get }
    /// Goes on to the solution for `lambda`, which is no larger than the one before.
    ///
    /// - Throws: `outOfMemory`, `cancelled`.
    func advance(to lambda: Double, _ context: ExecutionContext) throws(MetaLearnersError)
    /// The loss of the rows that were left out, Σ (v − f·b − f·z·β)².
    func heldOutLoss() -> Double
}

/// Minimises ½·β'Gβ − c'β + λ·(ratio·|β|₁ + (1 − ratio)/(2·scale)·|β|²) along a decreasing sequence of λ, each solution
/// being the start of the next. λ and the scale are in the unit of the response, as |β| is.
///
/// Coordinate descent with covariance updates (Friedman, Hastie & Tibshirani 2010) over an active set, which begins
/// with what the strong rule (Tibshirani et al. 2012) lets pass and grows until no column outside it violates the
/// conditions of optimality. As soon as the signs have settled, the solution for these signs is computed at once from
/// their linear system, which is exact where descent would crawl.
final class CoordinateDescent: PathDescent {
    /// Columns of less variance than this are constant but for rounding.
    static let leastVariance = 1e-10

    private let problem: any CovarianceProblem
    private let l1Ratio: Double
    private let scale: Double
    /// The violation of the conditions of optimality that counts as none.
    private let slack: Double
    /// The change of the gradient that counts as none.
    private let leastChange: Double
    let largestMoment: Double
    private(set) var coefficients: [Double]
    private(set) var converged = true
    /// c − G·β.
    private var gradient: [Double]
    private var active: ActiveColumns
    private var isActive: [Bool]
    private var lastLambda: Double

    /// The columns with non-zero coefficients, in the order in which they became active.
    var support: [Int] { active.columns.filter { coefficients[$0] != 0 } }

    /// - Parameters:
    ///   - problem: with finite numbers.
    ///   - l1Ratio: from 0, exclusive, to 1.
    ///   - scale: the standard deviation of the response, or what stands for it; positive.
    ///   - tolerance: the change of the gradient, relative to its largest value, that counts as none.
    init(
        _ problem: any CovarianceProblem, l1Ratio: Double, scale: Double = 1, tolerance: Double = 1e-10
    ) {
        self.problem = problem
        self.l1Ratio = l1Ratio
        self.scale = scale
        coefficients = [Double](repeating: 0, count: problem.width)
        gradient = problem.moments
        isActive = [Bool](repeating: false, count: problem.width)
        active = ActiveColumns()
        largestMoment = problem.moments.reduce(0) { max($0, abs($1)) }
        leastChange = tolerance * largestMoment
        slack = 0.1 * tolerance * largestMoment
        lastLambda = largestMoment / l1Ratio
    }

    func heldOutLoss() -> Double { problem.heldOutLoss(coefficients, support: support) }

    func advance(to lambda: Double, _ context: ExecutionContext) throws(MetaLearnersError) {
        let l1 = lambda * l1Ratio
        let l2 = (lambda - l1) / scale
        try admit(above: max(2 * l1 - lastLambda * l1Ratio, 0))
        lastLambda = lambda
        converged = true
        repeat {
            try context.checkCancellation()
            if try !active.minimise(l1: l1, l2: l2, leastChange: leastChange, slack: slack) {
                converged = false
            }
            try update()
        } while try admit(above: l1 + slack)
    }

    /// Makes columns active whose gradient exceeds `bound`; whether there were any.
    @discardableResult
    private func admit(above bound: Double) throws(MetaLearnersError) -> Bool {
        let columns = gradient.indices.filter {
            !isActive[$0] && abs(gradient[$0]) > bound && problem.diagonal[$0] > Self.leastVariance
        }
        for column in columns { isActive[column] = true }
        try active.append(columns, of: problem)
        return !columns.isEmpty
    }

    /// Takes the coefficients over from the active set, and computes the gradient anew.
    private func update() throws(MetaLearnersError) {
        for (column, value) in zip(active.columns, active.coefficients) { coefficients[column] = value }
        let width = Int32(clamping: problem.width)
        gradient = problem.moments
        for (column, value) in zip(active.columns, active.coefficients) where value != 0 {
            let products = try problem.column(column)
            gradient.withUnsafeMutableBufferPointer { gradient in
                guard let gradient = gradient.baseAddress else { return }
                BLAS.axpy(width, -value, products, 1, gradient, 1)
            }
        }
    }
}
