import CMetaLearners
import CausalAnalysis
import MetaLearnersCore

/// What the caller brings of effects and nuisances.
struct EstimatesView {
    let columns: GivenColumns
    let outcomeClass: String?

    /// The view; nothing for NULL.
    ///
    /// - Parameter rows: how many rows the study has.
    /// - Throws: `invalidArgument` for a member that cannot be.
    static func read(_ pointer: UnsafePointer<mtlr_estimates>?, rows: Int) throws(MetaLearnersError)
        -> EstimatesView
    {
        guard let pointer else { return EstimatesView(columns: GivenColumns(), outcomeClass: nil) }
        let view = try StructView.readGrowable(pointer, "estimates")
        func matrix(_ pointer: UnsafePointer<mtlr_matrix>?, _ name: String) throws(MetaLearnersError)
            -> [[Double]]?
        {
            guard let pointer else { return nil }
            do throws(MetaLearnersError) {
                let view = MatrixView(matrix: StructView.element(pointer, 0), names: nil)
                try AvailableMemory.require(
                    rows, of: 8 * max(Int(clamping: view.matrix.columns), 1), for: name)
                return try view.columns(rows: rows, for: .prediction).map { $0.values.doubles() }
            } catch {
                throw MetaLearnersError(
                    error.kind, at: "estimates.\(name)", error.problem, remedy: error.remedy)
            }
        }
        var source = "given"
        if let text = view.source { source = try CText.read(text, "estimates.source") }
        var outcomeClass: String?
        if let text = view.outcome_class {
            outcomeClass = try CText.read(text, "estimates.outcome_class")
        }
        return EstimatesView(
            columns: GivenColumns(
                effects: try matrix(view.effects, "effects"),
                propensities: try matrix(view.propensities, "propensities"),
                armMeans: try matrix(view.arm_means, "arm_means"),
                trueEffects: try matrix(view.true_effects, "true_effects"), source: source),
            outcomeClass: outcomeClass)
    }
}
