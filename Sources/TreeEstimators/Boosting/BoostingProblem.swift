import MetaLearnersCore

/// What every kind of boosting needs: the task, the bins, the rows and the threads.
struct BoostingProblem {
    let task: TrainingTask
    let spec: TreesSpec
    let matrix: BinnedMatrix
    let rows: TrainingRows
    let team: WorkTeam
    let context: ExecutionContext

    /// The bits of the number of training rows.
    var countBits: Int { Int.bitWidth - rows.training.count.leadingZeroBitCount }

    /// The bits below the count in a cell of a histogram: the count never reaches the sign.
    var countShift: Int { 63 - countBits }

    /// Which columns tree number `tree` may split by.
    func columns(ofTree tree: Int) -> ColumnChoice {
        ColumnChoice(slotCount: matrix.slotFeatures.count, tree: tree, spec, seed: task.seed)
    }

    /// What decides the shape of trees; units are still to be set.
    ///
    /// - Throws: `invalidSpec` for a direction of a column that is not there, or that is of categories.
    func growthRules() throws(MetaLearnersError) -> GrowthRules {
        var rules = GrowthRules(spec)
        rules.countShift = Int64(countShift)
        guard !spec.monotone.isEmpty else { return rules }
        rules.directions = [Int8](repeating: 0, count: task.features.columns.count)
        let names = task.features.columns.map(\.name)
        for (name, direction) in spec.monotone {
            let place = SpecPath.root.appending("monotone").appending(name)
            guard let column = names.firstIndex(of: name) else {
                throw place.error(
                    "there is no such column", remedy: SpellingSuggestion.clause(for: name, in: names))
            }
            guard task.features.columns[column].levels == nil else {
                throw place.error("its values are categories, which have no order", remedy: "leave it out")
            }
            rules.directions[column] = direction == .increasing ? 1 : -1
        }
        return rules
    }

    /// The largest power of two that keeps `magnitude` times it at most 2^`bits`; 1 where the magnitude is 0.
    static func scale(_ magnitude: Double, bits: Int) -> Double {
        guard magnitude > 0, magnitude.isFinite else { return 1 }
        let exponent = bits - Int(magnitude.exponent) - 1
        return Double(sign: .plus, exponent: min(max(exponent, -1000), 1000), significand: 1)
    }
}
