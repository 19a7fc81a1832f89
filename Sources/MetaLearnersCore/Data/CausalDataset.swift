/// Rows to learn effects from: covariates, treatment and outcome, with weights, clusters and known
/// propensities where there are any. Checked once, here, and immutable from then on.
public struct CausalDataset: Sendable {
    /// The covariates X.
    public let covariates: Table
    /// The treatment W.
    public let treatment: Treatment
    /// The outcome Y.
    public let outcome: Outcome
    /// A weight for each row, on the scale where the mean of the positive ones is 1; nil where all count alike.
    public let weights: [Double]?
    /// The cluster of each row, as codes from 0; nil where rows are independent.
    public let clusters: [Int32]?
    /// The known propensities of a designed experiment: for each arm, for each row.
    public let knownPropensities: [[Double]]?
    /// Where each row stood in the table that the dataset was made of; nil where no row was dropped.
    public let sourceRows: [Int32]?
    /// Things worth telling the user that are no errors.
    public let warnings: [String]
    /// What base estimators keep between fits on these covariates, such as their bins.
    public let cache: FeatureCache
    /// The rows that take part in fits, ascending; nil for all. Those that a resample did not draw do not.
    package let activeRows: [Int32]?
    /// Columns that no model learns from, because their texts look like identifiers.
    package let leftOut: [Column]
    /// Which of the rows that several processes hold these are; nil where these are all rows.
    public let partition: RowPartition?

    /// What messages call the parts: with the names of their columns, where there are any.
    struct PartNames {
        var treatment = "treatment"
        var outcome = "outcome"
        var weight = "weight"
    }

    /// Creates a dataset.
    ///
    /// - Parameters:
    ///   - covariates: the columns to learn from; NaN and negative codes are missing values. Codes beyond the levels
    ///     are refused.
    ///   - treatment: the arm of each row.
    ///   - outcome: the outcome of each row.
    ///   - weights: not negative, finite, not all zero in any arm. Only their ratios count: they are divided by
    ///     their mean over the rows that have any, so any common factor gives the same dataset.
    ///   - clusters: codes of any values, equal ones belonging together.
    ///   - knownPropensities: for each arm, a probability for each row, in (0, 1), adding up to 1.
    ///   - sourceRows: where each row stood before others were dropped.
    ///   - warnings: what is to be told already.
    ///   - treatmentName: what warnings call the treatment.
    ///   - outcomeName: what they call the outcome.
    ///   - weightName: what they call the weights.
    /// - Throws: `invalidData`, naming the column, the first row and the remedy.
    public init(
        covariates: Table, treatment: Treatment, outcome: Outcome, weights: [Double]? = nil,
        clusters: [Int32]? = nil, knownPropensities: [[Double]]? = nil, sourceRows: [Int32]? = nil,
        warnings: [String] = [], treatmentName: String = "treatment", outcomeName: String = "outcome",
        weightName: String = "weight"
    ) throws(MetaLearnersError) {
        try self.init(
            covariates: covariates, treatment: treatment, outcome: outcome, weights: weights,
            clusters: clusters, knownPropensities: knownPropensities, sourceRows: sourceRows,
            warnings: warnings, leftOut: [],
            names: PartNames(treatment: treatmentName, outcome: outcomeName, weight: weightName))
    }

    init(
        covariates: Table, treatment: Treatment, outcome: Outcome, weights: [Double]?,
        clusters: [Int32]?, knownPropensities: [[Double]]?, sourceRows: [Int32]?,
        warnings: [String], leftOut: [Column], names: PartNames
    ) throws(MetaLearnersError) {
        let places = covariates.places
        let rows = outcome.numbers.count
        let distribution = covariates.distribution
        guard rows > 0 || distribution != nil else {
            throw MetaLearnersError(.invalidData, "there are no rows")
        }
        try Self.require(treatment.arms.count, equals: rows, "treatment")
        if !covariates.columns.isEmpty { try Self.require(covariates.rowCount, equals: rows, "covariates") }
        // (What became codes was checked on its way.)
        for column in covariates.columns where column.values.coded == nil {
            try column.requireCodesWithinLevels(places)
            try Self.refuseInfinity(in: column, places)
        }
        if let weights { try Self.check(weights, treatment, names.weight, places, distribution) }
        if let clusters { try Self.require(clusters.count, equals: rows, "cluster") }
        if let knownPropensities {
            try Self.check(propensities: knownPropensities, arms: treatment.labels, rows: rows, places)
        }
        var scaled: [Double]?
        if let weights { scaled = try SampleWeights.scaled(weights, distribution) }
        let weights = scaled
        // (Joined with the others during a fit only.)
        self.covariates =
            covariates.columns.isEmpty
            ? try Table([], rowCount: rows, places: places) : covariates.distributed(nil)
        var partition: RowPartition?
        if let distribution {
            partition = RowPartition(
                rank: distribution.rank, size: distribution.size, firstRow: distribution.firstRow,
                rowCount: distribution.rowCount, armCounts: try distribution.sum(treatment.counts))
        }
        self.partition = partition
        self.treatment = treatment
        self.outcome = outcome
        self.weights = weights
        let numbered = try clusters.map { codes throws(MetaLearnersError) in
            try Self.dense(codes, distribution)
        }
        self.clusters = numbered
        self.knownPropensities = knownPropensities
        self.sourceRows = sourceRows
        self.leftOut = leftOut
        self.warnings =
            warnings
            + (try DatasetWarnings(
                covariates: covariates, treatment: treatment, outcome: outcome, weights: weights,
                clusters: numbered, knownPropensities: knownPropensities, names: names, places: places
            ).texts())
        self.cache = FeatureCache(rowWeights: weights)
        activeRows = nil
    }

    /// The same rows, each counting as often as `counts` says: its weight is multiplied, and it takes no part where
    /// that is 0. Shares everything else, bins included. Weights are not scaled anew: a row that was drawn twice is two
    /// rows.
    package func resampled(_ counts: [Int32]) -> CausalDataset { CausalDataset(self, counts: counts) }

    /// The same with other covariates, joined with those of other processes or no longer, or with each row as often as `counts` says.
    init(_ source: CausalDataset, covariates: Table? = nil, counts: [Int32]? = nil) {
        self.covariates = covariates ?? source.covariates
        treatment = source.treatment
        outcome = source.outcome
        weights =
            counts.map { counts in
                counts.indices.map { Double(counts[$0]) * (source.weights?[$0] ?? 1) }
            } ?? source.weights
        clusters = source.clusters
        knownPropensities = source.knownPropensities
        sourceRows = source.sourceRows
        warnings = source.warnings
        cache = source.cache
        leftOut = source.leftOut
        partition = source.partition
        activeRows =
            counts.map { counts in counts.indices.compactMap { counts[$0] > 0 ? Int32($0) : nil } }
            ?? source.activeRows
    }

    /// The covariates and the columns that were left out: what a model that was fitted to other rows may need.
    package var everyColumn: Table {
        leftOut.reduce(covariates) { $0.appending($1) }
    }

    /// How many rows there are.
    public var rowCount: Int { outcome.numbers.count }

    /// How many arms there are, the control included.
    public var armCount: Int { treatment.armCount }

    private static func require(_ count: Int, equals rows: Int, _ name: String) throws(MetaLearnersError) {
        guard count == rows else {
            throw MetaLearnersError(.invalidData, at: name, "has \(count) rows where the outcome has \(rows)")
        }
    }

    private static func refuseInfinity(in column: Column, _ places: RowPlaces) throws(MetaLearnersError) {
        guard column.values.element.isFloatingPoint, column.levels == nil else { return }
        var first: Int?
        var count = 0
        let block = 4096
        var buffer = [Double](repeating: 0, count: block)
        for start in stride(from: 0, to: column.count, by: block) {
            let rows = start..<min(start + block, column.count)
            buffer.withUnsafeMutableBufferPointer { values in
                column.values.copy(rows, to: values)
                for index in 0..<rows.count where values[index].isInfinite {
                    first = first ?? start + index
                    count += 1
                }
            }
        }
        guard let first else { return }
        throw MetaLearnersError(
            .invalidData, at: "column '\(column.name)'",
            "\(count) of \(column.count) values are infinite, the first is \(places.name(first))",
            remedy: "leave them empty (missing) or replace them")
    }

    private static func check(
        _ weights: [Double], _ treatment: Treatment, _ name: String, _ places: RowPlaces,
        _ distribution: DistributedRows?
    ) throws(MetaLearnersError) {
        try require(weights.count, equals: treatment.arms.count, name)
        if let row = weights.firstIndex(where: { !$0.isFinite || $0 < 0 }) {
            throw MetaLearnersError(
                .invalidData, at: name, "\(places.name(row)) has weight \(weights[row])",
                remedy: "weights must be finite and not negative")
        }
        var hasWeight = [Bool](repeating: false, count: treatment.armCount)
        for (row, arm) in treatment.arms.enumerated() where weights[row] > 0 { hasWeight[Int(arm)] = true }
        if let distribution { hasWeight = try distribution.any(hasWeight) }
        guard hasWeight.contains(true) else {
            throw MetaLearnersError(.invalidData, at: name, "every weight is 0")
        }
        guard let arm = hasWeight.firstIndex(of: false) else { return }
        throw MetaLearnersError(
            .invalidData, at: name, "every row of arm '\(treatment.labels[arm])' has weight 0",
            remedy: "leave the arm out, or give its rows weights")
    }

    /// The error of a known propensity that cannot be one.
    static func badPropensity(at place: String, _ value: Double, arm: String, _ row: String)
        -> MetaLearnersError
    {
        let isProbability = value == 0 || value == 1
        return MetaLearnersError(
            .invalidData, at: place, "\(row) has \(value) for arm '\(arm)', not between 0 and 1",
            remedy: isProbability
                ? "a row that could not be in an arm has no effect to estimate: leave it out"
                : "give probabilities, not percentages or odds")
    }

    private static func check(propensities: [[Double]], arms: [String], rows: Int, _ places: RowPlaces)
        throws(MetaLearnersError)
    {
        guard propensities.count == arms.count else {
            throw MetaLearnersError(
                .invalidData, at: "propensity",
                "there are \(propensities.count) columns of propensities for \(arms.count) arms",
                remedy: "give one per arm, the control first (for two arms, the treated arm's alone will do)")
        }
        for (arm, values) in propensities.enumerated() {
            try require(values.count, equals: rows, "propensity")
            if let row = values.firstIndex(where: { !($0 > 0 && $0 < 1) }) {
                throw badPropensity(at: "propensity", values[row], arm: arms[arm], places.name(row))
            }
        }
        for row in 0..<rows {
            let sum = propensities.reduce(0) { $0 + $1[row] }
            guard abs(sum - 1) <= 1e-6 else {
                throw MetaLearnersError(
                    .invalidData, at: "propensity", "those of \(places.name(row)) add up to \(sum), not to 1")
            }
        }
    }

    /// Codes from 0 in the order of first appearance.
    private static func dense(_ codes: [Int32], _ distribution: DistributedRows?) throws(MetaLearnersError)
        -> [Int32]
    {
        var known: [Int32: Int32] = [:]
        var seen: [Double] = []
        for code in codes where known.updateValue(0, forKey: code) == nil { seen.append(Double(code)) }
        known = [:]
        for code in try distribution.gather(seen) where known[Int32(code)] == nil {
            known[Int32(code)] = Int32(known.count)
        }
        return codes.map { known[$0] ?? 0 }
    }
}
