import MetaLearnersCore

/// Two arms that are compared.
struct ArmContrast: Equatable {
    let arm: Int
    let baseline: Int

    /// The contrasts that a request asks for, among the arms `labels`.
    ///
    /// - Throws: `invalidArgument` for a label that is none, or an arm against itself.
    static func list(_ request: PredictionRequest, _ labels: [String]) throws(MetaLearnersError)
        -> [ArmContrast]
    {
        let baseline =
            try request.baseline.map { label throws(MetaLearnersError) in
                try index(of: label, "baseline", labels)
            } ?? 0
        guard let label = request.arm else {
            return labels.indices.filter { $0 != baseline }.map { ArmContrast(arm: $0, baseline: baseline) }
        }
        let arm = try index(of: label, "arm", labels)
        guard arm != baseline else {
            throw MetaLearnersError(
                .invalidArgument, at: "arm", "'\(label)' is compared with itself",
                remedy: arm == 0 ? "it is the control: name another baseline" : "name two different arms")
        }
        return [ArmContrast(arm: arm, baseline: baseline)]
    }

    /// The place of the arm named `label`.
    ///
    /// - Throws: `invalidArgument`, with the nearest label.
    static func index(of label: String, _ argument: String, _ labels: [String]) throws(MetaLearnersError)
        -> Int
    {
        if let index = labels.firstIndex(of: label) { return index }
        throw MetaLearnersError(
            .invalidArgument, at: argument, "there is no arm '\(label)'",
            remedy: SpellingSuggestion.clause(for: label, in: labels))
    }

    /// The names of the columns of each contrast's effects: one per class where the outcome has several.
    static func names(
        _ contrasts: [ArmContrast], _ request: PredictionRequest, _ scale: EffectScale, _ labels: [String],
        _ kind: Outcome.Kind
    ) -> [String] {
        let isOnly = labels.count == 2 && request.baseline == nil
        return contrasts.flatMap { contrast in
            var name = scale.columnName
            if !isOnly { name += "_" + labels[contrast.arm] }
            if request.baseline != nil { name += "_vs_" + labels[contrast.baseline] }
            let classes = kind.effectClasses
            return classes.isEmpty ? [name] : classes.map { name + "_" + $0 }
        }
    }

    /// The contrast's columns out of effects against control, which have `width` columns per arm.
    func differences(_ effects: [[Double]], width: Int) -> [[Double]] {
        differences(effects, width: width) { left, right in
            left.map { zip($0, right).map { $0 - $1 } } ?? right.map { 0 - $0 }
        }
    }

    /// The same of effects of any type.
    ///
    /// - Parameter less: the first less the second; nil stands for nothing.
    func differences<Effect>(_ effects: [Effect], width: Int, less: (Effect?, Effect) -> Effect) -> [Effect] {
        (0..<width).compactMap { index in
            let own = arm == 0 ? nil : effects[(arm - 1) * width + index]
            guard baseline > 0 else { return own }
            return less(own, effects[(baseline - 1) * width + index])
        }
    }

    /// The contrast's columns out of the means of the arms: for each arm, for each class.
    func comparisons(_ means: [[[Double]]], _ scale: EffectScale) -> [[Double]] {
        zip(means[arm], means[baseline]).map { own, other in
            zip(own, other).map { scale.comparing($0, $1) }
        }
    }

    /// The mean square that a contrast is off by, of those of the arms against control; two arms' add up.
    func allowance(_ squares: [Double]) -> Double {
        (arm == 0 ? 0 : squares[arm - 1]) + (baseline == 0 ? 0 : squares[baseline - 1])
    }
}
