import MetaLearnersCore

extension CausalStudy {
    /// A number for each row, by its name.
    private var namedColumns: [(name: String, values: (CausalStudy) throws(MetaLearnersError) -> [Double])] {
        var columns: [(name: String, values: (CausalStudy) throws(MetaLearnersError) -> [Double])] = [
            ("outcome", { study in study.outcome }),
            ("arm", { study in study.arms.map(Double.init) }),
            ("weight", { study in study.rowWeights }),
        ]
        for (arm, label) in armLabels.enumerated() {
            if propensities != nil {
                columns.append(
                    ("propensity_\(label)", { study throws(MetaLearnersError) in try study.propensity(arm) }))
            }
            if armMeans != nil {
                columns.append(
                    ("mean_\(label)", { study throws(MetaLearnersError) in try study.armMean(arm) }))
            }
            guard arm > 0 else { continue }
            if effects != nil {
                columns.append(
                    ("effect_\(label)", { study throws(MetaLearnersError) in try study.effect(arm) }))
            }
            if parts.isSuperset(of: .scores) {
                columns.append(
                    ("score_\(label)", { study throws(MetaLearnersError) in try study.scores(arm) }))
            }
            if let trueEffects { columns.append(("true_effect_\(label)", { _ in trueEffects[arm - 1] })) }
        }
        return columns
    }

    /// The names of the columns: outcome, arm, weight; for each arm propensity and mean; for each arm but the control effect,
    /// score and true effect, as far as there are any.
    public var columnNames: [String] { namedColumns.map(\.name) }

    /// The column of that name.
    ///
    /// - Throws: `invalidArgument`, with the nearest name, where there is none.
    public func column(named name: String) throws(MetaLearnersError) -> [Double] {
        if let column = namedColumns.first(where: { $0.name == name }) { return try column.values(self) }
        throw MetaLearnersError(
            .invalidArgument, at: "name", "there is no column '\(name)'",
            remedy: SpellingSuggestion.clause(forName: name, in: columnNames))
    }
}
