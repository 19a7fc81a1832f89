import MetaLearnersCore

extension CATEModel {
    /// The standard deviation of each row's effects over the models of the folds (of all repeats).
    func predictStability(
        _ request: PredictionRequest, _ rows: PredictionRows, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Prediction {
        let names = try columnNames(request)
        let contrasts = try ArmContrast.list(request, armLabels)
        let scale = try scale(of: request)
        let foldCount = fitted.foldCount(armCount: armLabels.count)
        guard foldCount > 1 else {
            throw MetaLearnersError(
                .unsupported, at: "stability", "the model has no models of several folds",
                remedy: "fit with cross_fitting.folds: 2 or more")
        }
        var aligned = try AlignedRows(try covariates(of: rows, for: "stability"), schema, spec.data)
        var moments: [RunningMoments] = []
        for fold in 0..<foldCount {
            try context.checkCancellation()
            let columns = try contrastColumns(contrasts, scale, &aligned, fitted, .fold(fold), context)
            if moments.isEmpty { moments = columns.map { RunningMoments(count: $0.count) } }
            for (index, values) in columns.enumerated() { moments[index].add(values) }
        }
        let columns = moments.map(\.standardDeviations)
        let unstable = moments.indices.compactMap { index in
            Self.unstableNote(names[index], columns[index], effects: moments[index].means, of: spec.learner)
        }
        return Prediction(
            names: names, columns: columns,
            meaning:
                "The standard deviation of the effects over the \(foldCount) models of the folds: how much they "
                + "depend on which rows were learnt from. It is no standard error.",
            warnings: aligned.warnings + unstable)
    }

    /// Says so where the models of the folds differ by more than half of what rows differ by.
    ///
    /// - Parameters:
    ///   - name: the column of stability.
    ///   - stability: the standard deviation over the models, of each row.
    ///   - effects: the mean over the models, of each row.
    ///   - learner: the model's, which decides what can be done about it.
    /// - Returns: nil where they differ less, and for fewer than ten rows.
    static func unstableNote(
        _ name: String, _ stability: [Double], effects: [Double], of learner: LearnerKind
    ) -> String? {
        guard effects.count >= 10 else { return nil }
        let count = Double(effects.count)
        let mean = effects.reduce(0, +) / count
        let spread = (effects.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
        let noise = (stability.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
        guard noise.isFinite, spread.isFinite, noise > 0, noise > 0.5 * spread else { return nil }
        let size =
            spread > 0.01 * noise
            ? "by \(Int((100 * noise / spread).rounded())) % of what the effects of these rows differ by"
            : "and rows do not"
        return
            "\(name): in the effect of a row the models of the folds differ \(size): which rows seem to gain most depends on "
            + "the folds, and so on the seed. "
            + (learner == .auto
                ? "More rows make it depend less"
                : "More rows, a steadier learner (auto, x, r) or cross_fitting.repeats make it depend less")
    }

    /// The columns of contrasts for new rows, by the models of `fitted` that `selection` names.
    func contrastColumns(
        _ contrasts: [ArmContrast], _ scale: EffectScale, _ rows: inout AlignedRows, _ fitted: FittedEffects,
        _ selection: ModelSelection, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[Double]] {
        guard scale == .difference else {
            let nuisances = try armMeans(&rows, fitted, selection, context)
            let means = try Self.means(of: nuisances, outcomeKind)
            return contrasts.flatMap { $0.comparisons(means, scale) }
        }
        let effects = try predictEffects(&rows, fitted, selection, context)
        return contrasts.flatMap { $0.differences(effects, width: outcomeKind.effectCount) }
    }
}

/// The mean and the spread of each of several numbers, over values that come one after another (Welford 1962).
struct RunningMoments {
    private var seen = 0.0
    private(set) var means: [Double]
    private var squares: [Double]

    init(count: Int) {
        means = [Double](repeating: 0, count: count)
        squares = means
    }

    /// Takes one more value of each number.
    mutating func add(_ values: [Double]) {
        seen += 1
        for index in means.indices {
            let deviation = values[index] - means[index]
            means[index] += deviation / seen
            squares[index] += deviation * (values[index] - means[index])
        }
    }

    /// The standard deviation of each, with n − 1 in the denominator.
    var standardDeviations: [Double] {
        guard seen > 1 else { return [Double](repeating: 0, count: squares.count) }
        return squares.map { ($0 / (seen - 1)).squareRoot() }
    }
}
