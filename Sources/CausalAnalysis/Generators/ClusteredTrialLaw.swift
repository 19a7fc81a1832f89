import MetaLearnersCore

/// A trial in which whole clusters (schools, villages) are treated, and units of a cluster resemble each other.
///
/// x₁ = Z of the cluster, the other covariates standard normal; treated with probability `share`, whole clusters together;
/// μ_0 = x₂ + s·V of the cluster, τ = effect·(1 + x₁/2), where Z and V are standard normal.
public struct ClusteredTrialLaw: DataLaw {
    public static let name = "clustered_trial"
    public static let title = "A trial of clusters"
    public static let summary =
        "Schools that are treated as a whole: what do errors say that take pupils for independent?"
    public static let source = "this project"
    public static let parameters: [Parameter<ClusteredTrialLaw>] =
        Parameter<ClusteredTrialLaw>.common(rows: \.rows, seed: \.seed) + [
            .integer(
                "cluster_size", \.clusterSize, in: 1...1_000_000,
                "units of each cluster; the last may have fewer"),
            .columns(\.columns, atLeast: 2), .noise(\.noise), .effect(\.effect),
            .number(
                "cluster_noise", \.clusterNoise, in: 0...1e6, "s, the standard deviation between clusters"),
            .number("share", \.share, in: 0.01...0.99, "the probability that a cluster is treated"),
        ]

    public var rows = 1000
    public var seed = 1
    /// Units of each cluster.
    public var clusterSize = 20
    /// How many covariates.
    public var columns = 5
    /// Standard deviation of the noise.
    public var noise = 1.0
    /// Factor of the effect.
    public var effect = 1.0
    /// Standard deviation between clusters.
    public var clusterNoise = 0.5
    /// The probability that a cluster is treated.
    public var share = 0.5

    public init() {}

    public var shape: LawShape {
        var shape = LawShape(columns: columns)
        shape.noise = .normal(noise)
        shape.clusterSize = clusterSize
        shape.treatsClusters = true
        return shape
    }

    public func drawCluster(_ stream: inout RandomStream) -> [Double] { LawFunctions.normals(2, &stream) }

    public func drawCovariates(_ stream: inout RandomStream, cluster: [Double]) -> [Double] {
        [cluster[0]] + LawFunctions.normals(columns - 1, &stream)
    }

    public func truth(_ x: [Double], _ constants: [LawConstant], cluster: [Double]) -> LawTruth {
        LawTruth(
            propensity: share, control: x[1] + clusterNoise * cluster[1], effect: effect * (1 + x[0] / 2))
    }
}
