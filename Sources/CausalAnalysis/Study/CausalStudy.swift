import MetaLearners
import MetaLearnersCore

/// What every analysis reads: rows with their arms and outcomes, and what is known or estimated of each of them.
///
/// It comes from a fitted model (`init(_:on:ofClass:_:)`), from a spec whose nuisances alone are fitted
/// (`init(_:fitting:to:ofClass:_:)`), or from columns that were computed elsewhere (`init(_:given:)`). Immutable; all
/// arrays have one element for each row, in the same order.
public struct CausalStudy: Sendable {
    /// Where effects and nuisances come from.
    public enum Origin: String, Sendable {
        /// From models that never saw the row.
        case outOfFold = "out_of_fold"
        /// From models that were fitted to these very rows: `in_sample: full`, or one fold.
        case inSample = "in_sample"
        /// From a model that was fitted to other rows.
        case predicted
        /// From columns that the user brought.
        case given
    }

    /// What messages and reports call the columns.
    public struct Names: Sendable, Equatable {
        /// The treatment.
        public var treatment = "treatment"
        /// The outcome; of an outcome of several classes, with the class.
        public var outcome = "outcome"
        /// The cluster; nil where rows are independent.
        public var cluster: String?
    }

    /// The outcome: for a binary one, or for a class of several, 0 or 1.
    public let outcome: [Double]
    /// Whether the outcome is 0 or 1.
    public let isBinary: Bool
    /// The arm of each row, an index into `armLabels`.
    public let arms: RowCodes
    /// What the arms are called, the control first.
    public let armLabels: [String]
    /// The weight of each row, with a mean of 1; nil where all count alike.
    public let weights: [Double]?
    /// The cluster of each row, as codes from 0; nil where rows are independent.
    public let clusters: [Int32]?
    /// The covariates; without columns where there are none at hand.
    public let covariates: Table
    /// The covariates and every other column that rows may be grouped by.
    public internal(set) var columns: Table
    /// e_k for each arm, after the overlap policy; nil where there are none.
    public internal(set) var propensities: [[Double]]?
    /// Whether the propensities are known by design and not estimated.
    public let propensitiesAreKnown: Bool
    /// Whether a row has enough overlap to take part; nil where every row does.
    public let hasOverlap: [Bool]?
    /// μ_k for each arm; nil where there are none.
    public internal(set) var armMeans: [[Double]]?
    /// τ_k for each arm but the control; nil where there are none.
    public internal(set) var effects: [[Double]]?
    /// What the effects really are; nil but for simulated data.
    public internal(set) var trueEffects: [[Double]]?
    /// Where the effects, or without any the nuisances, come from.
    public internal(set) var origin: Origin
    /// What made the effects: the learner, or what the user calls his columns.
    public internal(set) var source: String
    /// What the columns are called.
    public let names: Names
    /// Where each row stood in the table that the study was made of; nil where no row was dropped.
    public let sourceRows: [Int32]?
    /// The folds that nuisances were fitted on, those of the first repeat; nil where they are not out of fold.
    public var folds: FoldAssignment? { repeats.first }
    /// The folds of each repeat; none where nothing is out of fold.
    let repeats: [FoldAssignment]
    /// Whether effects are those of `auto`, or of an ensemble with it: sixteen candidates whose models of outcomes saw the row.
    let isOfAuto: Bool
    /// What is needed to fit models anew; nil for columns without a spec.
    public internal(set) var fitting: StudyFitting?
    /// What is to be known of the data and of the fit.
    public internal(set) var warnings: [String]

    /// The number of rows.
    public var rowCount: Int { outcome.count }

    /// The number of arms, the control included.
    public var armCount: Int { armLabels.count }

    /// The weight with which each row takes part: 0 for rows without overlap.
    public var rowWeights: [Double] {
        (0..<rowCount).map { row in hasOverlap?[row] ?? true ? weights?[row] ?? 1 : 0 }
    }

    /// What the study has.
    public var parts: StudyParts {
        var parts: StudyParts = []
        if !covariates.columns.isEmpty { parts.insert(.covariates) }
        if propensities != nil { parts.insert(.propensities) }
        if armMeans != nil { parts.insert(.armMeans) }
        if effects != nil { parts.insert(.effects) }
        if trueEffects != nil { parts.insert(.trueEffects) }
        if let fitting {
            parts.insert(.fitting)
            // Effects that were brought from elsewhere are not the model's.
            if fitting.model != nil, origin != .given { parts.insert(.model) }
        }
        return parts
    }

    /// Refuses to go on where the study lacks something.
    ///
    /// - Parameter analysis: what needs it.
    /// - Throws: `unsupported`, naming the first part that is missing and how to have it.
    public func require(_ needs: StudyParts, for analysis: String) throws(MetaLearnersError) {
        for (part, name, remedy) in StudyParts.names where needs.contains(part) && !parts.contains(part) {
            throw MetaLearnersError(
                .unsupported, at: analysis, "needs \(name), and the study has none", remedy: remedy)
        }
    }

    /// The same study with the columns of the table that its rows came from to group by, whatever their part in the spec.
    ///
    /// - Throws: `invalidArgument` where the table has other rows.
    public func grouping(by table: Table) throws(MetaLearnersError) -> CausalStudy {
        var study = self
        study.columns = sourceRows.map { table.selecting(rows: $0) } ?? table
        guard study.columns.rowCount == rowCount else {
            throw MetaLearnersError(
                .invalidArgument, at: "columns",
                "have \(study.columns.rowCount) rows where the study has \(rowCount)")
        }
        return study
    }

    // MARK: Numbers of single arms

    /// The arm of that label, as an index.
    ///
    /// - Throws: `invalidArgument`, with the nearest label, where there is none.
    public func arm(_ label: String, at place: String = "arm") throws(MetaLearnersError) -> Int {
        if let index = armLabels.firstIndex(of: label) { return index }
        throw MetaLearnersError(
            .invalidArgument, at: place, "there is no arm '\(label)'",
            remedy: SpellingSuggestion.clause(forName: label, in: armLabels))
    }

    /// The arms that an option asks about: the one of that label, or without one every arm but the control.
    ///
    /// - Throws: `invalidArgument` where there is no such arm, or it is the control.
    public func treatedArms(_ label: String?) throws(MetaLearnersError) -> [Int] {
        guard let label else { return Array(1..<armCount) }
        let arm = try arm(label)
        guard arm > 0 else {
            throw MetaLearnersError(
                .invalidArgument, at: "arm", "'\(label)' is the control: others are compared with it",
                remedy: "name one of: " + armLabels.dropFirst().joined(separator: ", "))
        }
        return [arm]
    }

    /// e_k.
    ///
    /// - Throws: `unsupported` where there are none, as every function here does.
    public func propensity(_ arm: Int) throws(MetaLearnersError) -> [Double] {
        try require(.propensities, for: "propensities")
        return propensities?[arm] ?? []
    }

    /// μ_k.
    public func armMean(_ arm: Int) throws(MetaLearnersError) -> [Double] {
        try require(.armMeans, for: "arm means")
        return armMeans?[arm] ?? []
    }

    /// τ_k against the control, for an arm from 1.
    public func effect(_ arm: Int) throws(MetaLearnersError) -> [Double] {
        try require(.effects, for: "effects")
        return effects?[arm - 1] ?? []
    }

    /// The doubly robust score of an arm, Γ_k = μ_k + 1{W=k}(Y − μ_k)/e_k, whose mean estimates E[Y(k)] (Robins, Rotnitzky &
    /// Zhao 1994). O(rows).
    public func armScores(_ arm: Int) throws(MetaLearnersError) -> [Double] {
        let mean = try armMean(arm)
        let share = try propensity(arm)
        return (0..<rowCount).map { row in
            arms[row] == arm ? mean[row] + (outcome[row] - mean[row]) / share[row] : mean[row]
        }
    }

    /// The doubly robust score of an arm's effect, ψ_k = Γ_k − Γ_0, whose mean estimates the average effect. O(rows).
    public func scores(_ arm: Int) throws(MetaLearnersError) -> [Double] {
        zip(try armScores(arm), try armScores(0)).map { $0 - $1 }
    }
}

/// What a study needs to fit models anew: what it was fitted with itself.
public struct StudyFitting: Sendable {
    /// The spec with its learner, nuisances and seed, ready for any dataset.
    public let fitter: MetaLearnerFitter
    /// The rows.
    public let dataset: CausalDataset
    /// The model; nil where nuisances alone were fitted.
    public let model: CATEModel?
    /// The nuisances that are fitted already; nil where there are none that another fit could use.
    public let nuisances: NuisanceFit?
    /// Of an outcome of several classes, the class that the study is about.
    public let outcomeClass: Int?

    /// Where learners and base learners are found.
    public var registry: Registry { fitter.registry }
}
