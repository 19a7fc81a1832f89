import MetaLearnersCore

extension CATEModel {
    /// The effects of rows with intervals of the rows' own effects, Y(arm) − Y(baseline), by weighted conformal prediction
    /// (Lei & Candès 2021, arXiv 2006.06138).
    ///
    /// With the effect τ̂ and the nuisances out of fold, the outcome of an arm is predicted by μ̃_a = μ̂_a + (1 − ē)δ and that of its
    /// baseline by μ̃_b = μ̂_b − ēδ, where δ = τ̂ − (μ̂_a − μ̂_b) and ē = e_a/(e_a + e_b): they differ by τ̂, and their mean by ē is that of the
    /// outcome models. An interval is τ̂ ± (q_a + q_b), q_k the quantile 1 − (1 − level)/2 of |Y − μ̃_k| in arm k, weighted by 1/e_k. Each arm fails in about
    /// (1 − level)/2 of rows, so that both hold in `level` of them, however the two outcomes of a row hang together. (With the models of the folds
    /// in place of those of all rows the bound is that of the jackknife+ family, not that of split data: Barber et al. 2021, arXiv 1905.02928.)
    func predictIndividualIntervals(
        _ request: PredictionRequest, _ rows: PredictionRows, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Prediction {
        let level = try intervalLevel(of: request)
        let names = try columnNames(request)
        let contrasts = try ArmContrast.list(request, armLabels)
        let scale = try scale(of: request)
        guard scale == .difference, outcomeKind.effectClasses.isEmpty else {
            throw MetaLearnersError(
                .unsupported, at: "individual_intervals",
                scale == .difference
                    ? "an outcome of several classes has no differences of single rows"
                    : "the effect of a single row is a difference of outcomes, not a \(scale.rawValue)",
                remedy: scale == .difference ? "ask for effects alone" : "ask for the scale 'difference'")
        }
        let record = try requireRecord()
        guard !hasPartOfTraining else {
            throw MetaLearnersError(
                .unsupported, at: "individual_intervals",
                "the model has the training rows of one of several processes alone",
                remedy: "fit in one process to get them")
        }
        guard hasAverageEffects, record.nuisances.armOutcomes.count == armLabels.count else {
            throw MetaLearnersError(
                .unsupported, at: "individual_intervals", "they take the outcome models of every arm",
                remedy: "fit with average_effects: true")
        }
        // Distances from predictions that saw the outcome would be too short.
        guard isHeldOut(record) else {
            throw MetaLearnersError(
                .unsupported, at: "individual_intervals",
                "effects and nuisances of the training rows come from models that saw these rows",
                remedy: "fit with cross_fitting.folds: 2 or more, and without in_sample: full")
        }
        var warnings: [String] = []
        let effects: [[Double]]
        let propensities: [[Double]]?
        if case .new(let table) = rows {
            var aligned = try AlignedRows(table, schema, spec.data)
            effects = try contrastColumns(contrasts, scale, &aligned, fitted, .combined, context)
            propensities = try servingPropensities(&aligned, context)
            warnings = aligned.warnings
        } else {
            effects = contrasts.flatMap { $0.differences(record.effects, width: 1) }
            propensities = record.nuisances.propensities
        }
        var columns: [[Double]] = []
        var unbounded = 0
        for (contrast, values) in zip(contrasts, effects) {
            try context.checkCancellation()
            let shares = [contrast.arm, contrast.baseline].map { arm in
                propensities?[arm] ?? [Double](repeating: armShares[arm], count: values.count)
            }
            let widths = try halfWidths(of: contrast, level: level, shares, record)
            unbounded = max(unbounded, widths.count { !$0.isFinite })
            let limit = outcomeKind.isBinary ? 1 : Double.infinity
            func bounded(_ end: Double) -> Double { min(max(end, -limit), limit) }
            columns += [
                values, zip(values, widths).map { bounded($0 - $1) },
                zip(values, widths).map { bounded($0 + $1) },
            ]
        }
        if unbounded > 0, !outcomeKind.isBinary {
            warnings.append(
                "\(unbounded) of \(effects.first?.count ?? 0) rows have individual intervals without ends: "
                    + "an arm has too few training rows like them")
        }
        return Prediction(
            names: names, columns: columns, meaning: Self.meaningOfIndividualIntervals(level),
            warnings: warnings)
    }

    /// Whether the effects and nuisances of a record come from models that did not see the row.
    func isHeldOut(_ record: TrainingRecord) -> Bool {
        record.repeats.allSatisfy(\.isCrossFitted) && spec.crossFitting.inSample != .full
    }

    /// q_a + q_b for each row that is predicted.
    ///
    /// - Parameter propensities: those of the arm and of its baseline at these rows.
    private func halfWidths(
        of contrast: ArmContrast, level: Double, _ propensities: [[Double]], _ record: TrainingRecord
    ) throws(MetaLearnersError) -> [Double] {
        let nuisances = record.nuisances
        let effect = contrast.differences(record.effects, width: 1)[0]
        let shares = try [contrast.arm, contrast.baseline].map { arm throws(MetaLearnersError) in
            try nuisances.propensity(arm)
        }
        let means = try [contrast.arm, contrast.baseline].map { arm throws(MetaLearnersError) in
            try nuisances.armOutcome(arm)
        }
        var scores: [[Double]] = [[], []]
        var weights: [[Double]] = [[], []]
        let positive = record.weights?.filter { $0 > 0 } ?? []
        let meanWeight = positive.isEmpty ? 1 : positive.reduce(0, +) / Double(positive.count)
        for row in record.outcome.indices where nuisances.hasOverlap?[row] ?? true {
            let arm = Int(record.arms[row])
            guard arm == contrast.arm || arm == contrast.baseline else { continue }
            let own = (record.weights?[row] ?? meanWeight) / meanWeight
            guard own > 0 else { continue }
            let side = arm == contrast.arm ? 0 : 1
            let pairShare = shares[0][row] / (shares[0][row] + shares[1][row])
            let rest = effect[row] - (means[0][row] - means[1][row])
            let predicted =
                side == 0 ? means[0][row] + (1 - pairShare) * rest : means[1][row] - pairShare * rest
            scores[side].append(abs(record.outcome[row] - predicted))
            weights[side].append(own / shares[side][row])
        }
        let conformal = zip(scores, weights).map { ConformalScores($0, weights: $1) }
        let share = (1 + level) / 2
        return propensities[0].indices.map { row in
            conformal[0].quantile(share, ownWeight: 1 / propensities[0][row])
                + conformal[1].quantile(share, ownWeight: 1 / propensities[1][row])
        }
    }

    /// The level of a request's intervals.
    ///
    /// - Throws: `invalidArgument`.
    func intervalLevel(of request: PredictionRequest) throws(MetaLearnersError) -> Double {
        let level = request.level ?? spec.intervals.level
        guard level >= 0.5, level < 1 else {
            throw MetaLearnersError(
                .invalidArgument, at: "level", "is \(level), must be: number, 0.5 ≤ x < 1")
        }
        return level
    }

    /// What individual intervals promise, in words.
    private static func meaningOfIndividualIntervals(_ level: Double) -> String {
        let percent = SpecValue.number((level * 1e6).rounded() / 1e4).json() + " %"
        return
            "Holds a row's own effect, the difference between its outcomes with and without the treatment, in about \(percent) of rows "
            + "like those of training or more, however the two outcomes hang together (conformal prediction). It rests on the propensities, and is "
            + "a promise for rows together, not for every kind of row. Intervals of the mean effect of rows alike are narrower: 'intervals'."
    }
}
