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

    /// Every capability with its name, in order.
    public static let named: [(Capabilities, String)] = [
        (.regression, "regression"), (.binary, "binary"), (.multiclass, "multiclass"), (.weights, "weights"),
        (.missingValues, "missing_values"), (.categoricals, "categoricals"), (.residualLoss, "residual_loss"),
    ]

    /// The names of the capabilities in the set.
    public var names: [String] { Self.named.filter { contains($0.0) }.map(\.1) }
}

/// A backend's name, version and capabilities.
public struct BackendDescription: Sendable, Equatable {
    /// The name, as specs have it.
    public let name: String
    /// One line on what it is.
    public let summary: String
    /// The version of the engine.
    public let version: String
    /// Where it was found: "built in", or a library's path.
    public let location: String
    /// What it can do.
    public let capabilities: Capabilities

    /// Creates a description.
    public init(
        name: String, summary: String, version: String, location: String = "built in",
        capabilities: Capabilities
    ) {
        self.name = name
        self.summary = summary
        self.version = version
        self.location = location
        self.capabilities = capabilities
    }
}
