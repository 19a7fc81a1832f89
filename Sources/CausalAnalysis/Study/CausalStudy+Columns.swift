import MetaLearners
import MetaLearnersCore

/// Effects and nuisances that were computed elsewhere: by another library, by a formula, by a neural network.
public struct GivenColumns: Sendable {
    /// τ_k for each arm but the control, a number for each row; nil where there are none.
    public var effects: [[Double]]?
    /// e_k for each arm, the control first; nil where there are none.
    public var propensities: [[Double]]?
    /// μ_k for each arm, the control first; nil where there are none.
    public var armMeans: [[Double]]?
    /// The true effect of each arm but the control; nil where they are not known.
    public var trueEffects: [[Double]]?
    /// What results call them.
    public var source: String

    /// Creates columns.
    public init(
        effects: [[Double]]? = nil, propensities: [[Double]]? = nil, armMeans: [[Double]]? = nil,
        trueEffects: [[Double]]? = nil, source: String = "given"
    ) {
        self.effects = effects
        self.propensities = propensities
        self.armMeans = armMeans
        self.trueEffects = trueEffects
        self.source = source
    }
}

extension CausalStudy {
    /// The study of a dataset with columns that were computed elsewhere; nothing is fitted.
    ///
    /// - Parameters:
    ///   - dataset: the rows; known propensities of its own serve where none are given.
    ///   - columns: the effects and nuisances.
    ///   - data: what the columns are called.
    /// - Throws: `invalidArgument` for columns of another number or length than the data, values that are not finite,
    ///   propensities of 0 or 1; `unsupported` for an outcome of several classes.
    public init(
        _ dataset: CausalDataset, given columns: GivenColumns, _ data: DataSpec = DataSpec()
    ) throws(MetaLearnersError) {
        try Self.requireNumbers(of: dataset)
        guard dataset.outcome.kind.effectClasses.isEmpty else {
            throw MetaLearnersError(
                .unsupported, at: "outcome",
                "has several classes, and the columns cannot say of which they are",
                remedy: "give an outcome that is 1 for the class of interest and 0 for the others")
        }
        self.init(alone: dataset, columns, data)
        self = try replacing(columns)
    }

    private init(alone dataset: CausalDataset, _ columns: GivenColumns, _ data: DataSpec) {
        outcome = dataset.outcome.values
        isBinary = dataset.outcome.kind.isBinary
        arms = dataset.treatment.arms
        armLabels = dataset.treatment.labels
        weights = dataset.weights
        clusters = dataset.clusters
        covariates = dataset.covariates
        self.columns = dataset.everyColumn
        propensities = dataset.knownPropensities
        propensitiesAreKnown = dataset.knownPropensities != nil && columns.propensities == nil
        hasOverlap = nil
        origin = .given
        source = columns.source
        names = Names(
            treatment: data.treatment ?? "treatment", outcome: data.outcome ?? "outcome",
            cluster: data.cluster)
        sourceRows = dataset.sourceRows
        repeats = []
        isOfAuto = false
        fitting = nil
        warnings = dataset.warnings
    }

    /// The same study with columns that were computed elsewhere in place of its own.
    ///
    /// - Throws: `invalidArgument` for columns of another number or length than the study, values that are not finite,
    ///   propensities of 0 or 1.
    public func replacing(_ columns: GivenColumns) throws(MetaLearnersError) -> CausalStudy {
        var study = self
        if let effects = try checked(columns.effects, armCount - 1, "effects") {
            study.effects = effects
            study.origin = .given
            study.source = columns.source
        }
        if let means = try checked(columns.armMeans, armCount, "arm means") { study.armMeans = means }
        if let truth = try checked(columns.trueEffects, armCount - 1, "true effects") {
            study.trueEffects = truth
        }
        if var propensities = columns.propensities {
            // Of two arms the treated arm's alone says all.
            if propensities.count == 1, armCount == 2 {
                propensities.insert(propensities[0].map { 1 - $0 }, at: 0)
            }
            propensities = try checked(propensities, armCount, "propensities") ?? []
            for (arm, values) in propensities.enumerated() {
                guard let row = values.firstIndex(where: { !($0 > 0 && $0 < 1) }) else { continue }
                throw MetaLearnersError(
                    .invalidArgument, at: "propensities",
                    "\(covariates.places.name(row)) has \(values[row]) for arm '\(armLabels[arm])', not between 0 and 1",
                    remedy: "leave out rows that could not be in an arm, or clip, as in [0.01, 0.99]")
            }
            study.propensities = propensities
        }
        return study
    }

    private func checked(_ columns: [[Double]]?, _ count: Int, _ name: String) throws(MetaLearnersError)
        -> [[Double]]?
    {
        guard let columns else { return nil }
        guard columns.count == count else {
            throw MetaLearnersError(
                .invalidArgument, at: name, "have \(columns.count) columns, must have \(count)",
                remedy: name.hasSuffix("effects")
                    ? "give a column for each arm but the control"
                    : "give a column for each arm, the control first")
        }
        for values in columns {
            guard values.count == rowCount else {
                throw MetaLearnersError(
                    .invalidArgument, at: name, "have \(values.count) rows where the data have \(rowCount)",
                    remedy: sourceRows == nil
                        ? nil : "rows without an outcome were dropped: leave these out here as well")
            }
            if let row = values.firstIndex(where: { !$0.isFinite }) {
                throw MetaLearnersError(
                    .invalidArgument, at: name, "\(covariates.places.name(row)) has \(values[row])",
                    remedy: "give a finite number for each row")
            }
        }
        return columns
    }
}
