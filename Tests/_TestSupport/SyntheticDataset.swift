import MetaLearnersCore

/// Data drawn from a known law, with the truth that estimators are to find.
///
/// Every generator draws from streams of its own under the seed: covariates, treatment and noise do not depend
/// on each other's number of draws.
public struct SyntheticDataset: Sendable {
    /// What estimators may see.
    public let dataset: CausalDataset
    /// The propensity e_k(x) of each arm k, for each row.
    public let propensities: [[Double]]
    /// The expected outcome μ_k(x) in each arm k, for each row.
    public let armOutcomes: [[Double]]

    /// The covariates.
    public var covariates: Table { dataset.covariates }
    /// The arm of each row.
    public var treatment: Treatment { dataset.treatment }
    /// The outcome of each row.
    public var outcome: [Double] { dataset.outcome.values }
    /// How many rows there are.
    public var rowCount: Int { dataset.rowCount }
    /// The true effects τ_k(x) = μ_k(x) − μ_0(x) of each arm but the control, for each row.
    public var effects: [[Double]] {
        armOutcomes.dropFirst().map { outcomes in zip(outcomes, armOutcomes[0]).map { $0 - $1 } }
    }
    /// The marginal outcome m(x) = Σ_k e_k(x) μ_k(x) of each row.
    public var marginalOutcome: [Double] {
        (0..<rowCount).map { row in
            zip(propensities, armOutcomes).reduce(0) { $0 + $1.0[row] * $1.1[row] }
        }
    }

    /// Collects the parts of a dataset.
    public init(dataset: CausalDataset, propensities: [[Double]], armOutcomes: [[Double]]) {
        self.dataset = dataset
        self.propensities = propensities
        self.armOutcomes = armOutcomes
    }

    /// The streams of a generator, one for each part of the data.
    enum Stream: UInt64 {
        case covariates = 1
        case treatment = 2
        case noise = 3
        case clusters = 4

        /// The part's stream under `seed`.
        func open(_ seed: UInt64) -> RandomStream { RandomStream(seed: seed, path: 0x5359_4E54, rawValue) }
    }

    /// Columns x1, x2, … of the given rows.
    static func table(_ rows: [[Double]]) throws(MetaLearnersError) -> Table {
        let width = rows.first?.count ?? 0
        return try Table((0..<width).map { column in Column("x\(column + 1)", rows.map { $0[column] }) })
    }

    /// Draws arms and outcomes for rows whose law is known, and makes the dataset.
    ///
    /// - Parameters:
    ///   - rows: the covariates of each row.
    ///   - propensities: for each arm, for each row.
    ///   - armOutcomes: for each arm, for each row.
    ///   - noise: standard deviation of the normal noise; ignored where outcomes are binary.
    ///   - shift: what is added to the outcome of each row beside its noise.
    ///   - binary: whether outcomes are drawn as 0 or 1 with the arm outcomes as probabilities.
    ///   - clusters: the cluster of each row.
    static func draw(
        rows: [[Double]], propensities: [[Double]], armOutcomes: [[Double]], noise: Double,
        shift: [Double]? = nil, binary: Bool = false, clusters: [Int32]? = nil, seed: UInt64
    ) throws(MetaLearnersError) -> SyntheticDataset {
        var treatmentStream = Stream.treatment.open(seed)
        var noiseStream = Stream.noise.open(seed)
        var arms: [Int32] = []
        var outcome: [Double] = []
        for row in rows.indices {
            let arm = treatmentStream.index(of: propensities.map { $0[row] })
            arms.append(Int32(arm))
            let expected = armOutcomes[arm][row]
            if binary {
                outcome.append(noiseStream.bernoulli(expected) ? 1 : 0)
            } else {
                outcome.append(expected + (shift?[row] ?? 0) + noise * noiseStream.normal())
            }
        }
        let labels = propensities.indices.map { "\($0)" }
        let dataset = try CausalDataset(
            covariates: table(rows), treatment: Treatment(arms: arms, labels: labels),
            outcome: Outcome(outcome, kind: binary ? .binary(labels: ["0", "1"]) : .continuous),
            clusters: clusters)
        return SyntheticDataset(dataset: dataset, propensities: propensities, armOutcomes: armOutcomes)
    }
}
