/// What a backend can do.
public struct Capabilities: OptionSet, Sendable, Hashable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Estimates E[Y|X].
    public static let regression = Capabilities(rawValue: 1 << 0)
    /// Estimates P(Y=1|X).
    public static let binary = Capabilities(rawValue: 1 << 1)
    /// Estimates P(Y=c|X) of more than two classes.
    public static let multiclass = Capabilities(rawValue: 1 << 2)
    /// Takes sample weights.
    public static let weights = Capabilities(rawValue: 1 << 3)
    /// Takes missing values.
    public static let missingValues = Capabilities(rawValue: 1 << 4)
    /// Takes categories as such.
    public static let categoricals = Capabilities(rawValue: 1 << 5)
    /// Minimises the R-learner's residual loss directly.
    public static let residualLoss = Capabilities(rawValue: 1 << 6)
    /// Fits several outputs at once: vector targets and the residual loss of several regressors.
    public static let multiOutput = Capabilities(rawValue: 1 << 7)
    /// Estimates E[Y|X] of counts, by the Poisson deviance.
    public static let counts = Capabilities(rawValue: 1 << 8)
    /// Estimates quantiles of Y given X.
    public static let quantiles = Capabilities(rawValue: 1 << 9)
    /// Fits a path of models in one go (`StagedEstimator`).
    public static let staged = Capabilities(rawValue: 1 << 10)
    /// Says what columns contribute to its predictions (`ExplainableEstimator`).
    public static let contributions = Capabilities(rawValue: 1 << 11)
    /// Says how uncertain its predictions are (`VarianceEstimating`).
    public static let variance = Capabilities(rawValue: 1 << 12)

    /// Uses what sparse columns store without filling them in; all others read them as if they were dense.
    public static let sparse = Capabilities(rawValue: 1 << 13)

    /// Learns from rows that several processes hold (`ExecutionOptions.collective`).
    public static let collective = Capabilities(rawValue: 1 << 14)

    /// Learns from covariates that are read batch by batch and of which nothing but its own bins is kept (`RowSource`).
    public static let streamed = Capabilities(rawValue: 1 << 15)

    /// Estimates what a regressor is multiplied by, beside a level that is learnt together with it (`TrainingTask.Objective.coefficient`).
    public static let coefficients = Capabilities(rawValue: 1 << 16)

    /// Every capability with its name, in order.
    public static let named: [(Capabilities, String)] = [
        (.regression, "regression"), (.binary, "binary"), (.multiclass, "multiclass"), (.weights, "weights"),
        (.missingValues, "missing_values"), (.categoricals, "categoricals"), (.residualLoss, "residual_loss"),
        (.multiOutput, "multi_output"), (.counts, "counts"), (.quantiles, "quantiles"), (.staged, "staged"),
        (.contributions, "contributions"), (.variance, "variance"), (.sparse, "sparse"),
        (.collective, "collective"), (.streamed, "streamed"), (.coefficients, "coefficients"),
    ]

    /// The names of the capabilities in the set.
    public var names: [String] { Self.named.filter { contains($0.0) }.map(\.1) }
}

/// A backend's name, version and capabilities.
public struct BackendDescription: Sendable, Equatable {
    /// An engine's version and where it was found.
    public struct Engine: Sendable, Equatable {
        /// The version; empty where the engine was not found.
        public let version: String
        /// Where it was found: "built in", a library's path, or "not found".
        public let location: String
        /// What this one can do beside what all can.
        public let capabilities: Capabilities

        /// Creates a description of an engine.
        public init(version: String, location: String, capabilities: Capabilities = []) {
            self.version = version
            self.location = location
            self.capabilities = capabilities
        }
    }

    /// The name, as specs have it.
    public let name: String
    /// One line on what it is.
    public let summary: String
    /// What it can do, whichever engine is found.
    public let capabilities: Capabilities
    private let discover: @Sendable () -> Engine

    /// The engine: for one that is found at run time, asking for it is what looks for it.
    public var engine: Engine { discover() }
    /// The version of the engine; empty where it was not found.
    public var version: String { engine.version }
    /// Where it was found: "built in", a library's path, or "not found".
    public var location: String { engine.location }
    /// What it can do with the engine that was found.
    public var foundCapabilities: Capabilities { capabilities.union(engine.capabilities) }

    /// Creates the description of a backend whose engine is known.
    public init(
        name: String, summary: String, version: String, location: String = "built in",
        capabilities: Capabilities
    ) {
        let engine = Engine(version: version, location: location)
        self.init(name: name, summary: summary, capabilities: capabilities) { engine }
    }

    /// Creates the description of a backend whose engine is looked for at run time.
    ///
    /// - Parameter engine: finds the engine; called each time that somebody asks, so it should remember.
    public init(
        name: String, summary: String, capabilities: Capabilities, engine: @escaping @Sendable () -> Engine
    ) {
        self.name = name
        self.summary = summary
        self.capabilities = capabilities
        discover = engine
    }

    public static func == (left: BackendDescription, right: BackendDescription) -> Bool {
        left.name == right.name && left.summary == right.summary && left.capabilities == right.capabilities
            && left.engine == right.engine
    }
}
