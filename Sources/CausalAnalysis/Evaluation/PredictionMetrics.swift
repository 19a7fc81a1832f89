import MetaLearnersCore

/// How good predictions of a number are.
struct RegressionMetrics {
    /// The root of the mean squared error.
    let rootMeanSquare: NormalEstimate
    /// One minus the squared error over that of the mean; NaN where the outcome does not vary.
    let rSquared: Double

    /// - Parameter weights: of each row, 0 for rows that are left out.
    init(_ outcome: [Double], _ predictions: [Double], weights: [Double], clusters: [Int32]?) {
        let errors = zip(outcome, predictions).map { ($0 - $1) * ($0 - $1) }
        let mean = NormalEstimate(
            scores: errors, shares: [Double](repeating: 1, count: errors.count), weights: weights,
            clusters: clusters)
        let root = mean.estimate.squareRoot()
        // The delta method: the error of √x is that of x over 2√x.
        rootMeanSquare = NormalEstimate(
            estimate: root, stdError: root > 0 ? mean.stdError / (2 * root) : 0)
        let average = Characteristics.mean(outcome, weights)
        let variance = Characteristics.mean(
            outcome.map { ($0 - average) * ($0 - average) }, weights)
        rSquared = variance > 0 ? 1 - mean.estimate / variance : .nan
    }
}

/// How good predicted probabilities of an event are.
struct ProbabilityMetrics {
    /// −log of the probability given to what happened, on average.
    let logLoss: NormalEstimate
    /// The mean squared error.
    let brier: NormalEstimate
    /// The probability that a row with the event has the larger prediction than one without, ties counting half; nil where one of
    /// them is not there. Its error is that of DeLong, DeLong & Clarke-Pearson (1988), made of the influence of each row.
    let areaUnderCurve: NormalEstimate?
    /// The slope of the logistic regression of the event on the log odds of the prediction: 1 where predictions are calibrated,
    /// below 1 where they are too extreme (Cox 1958); nil where there is none.
    let calibrationSlope: NormalEstimate?

    /// - Parameters:
    ///   - event: 1 where it happened, else 0.
    ///   - probabilities: between 0 and 1.
    ///   - weights: of each row, 0 for rows that are left out.
    init(_ event: [Double], _ probabilities: [Double], weights: [Double], clusters: [Int32]?) {
        let ones = [Double](repeating: 1, count: event.count)
        func mean(_ values: [Double]) -> NormalEstimate {
            NormalEstimate(scores: values, shares: ones, weights: weights, clusters: clusters)
        }
        // As scikit-learn does, so that one certain error does not make the loss infinite.
        let least = 2.220446049250313e-16
        let clipped = probabilities.map { min(max($0, least), 1 - least) }
        logLoss = mean(zip(event, clipped).map { $0 == 1 ? -Double.log($1) : -Double.log(onePlus: -$1) })
        brier = mean(zip(event, probabilities).map { ($0 - $1) * ($0 - $1) })
        areaUnderCurve = Self.area(event, probabilities, weights, clusters)
        calibrationSlope = Self.slope(event, clipped, weights, clusters)
    }

    private static func area(
        _ event: [Double], _ probabilities: [Double], _ weights: [Double], _ clusters: [Int32]?
    ) -> NormalEstimate? {
        let order = event.indices.filter { weights[$0] > 0 }.sorted { probabilities[$0] < probabilities[$1] }
        var totals = (with: 0.0, without: 0.0)
        for row in order {
            if event[row] == 1 { totals.with += weights[row] } else { totals.without += weights[row] }
        }
        guard totals.with > 0, totals.without > 0 else { return nil }
        // For each row, the share of the other kind that it is on the right side of.
        var placements = [Double](repeating: 0, count: event.count)
        var below = (with: 0.0, without: 0.0)
        var start = 0
        var area = 0.0
        while start < order.count {
            var end = start
            var inside = (with: 0.0, without: 0.0)
            while end < order.count, probabilities[order[end]] == probabilities[order[start]] {
                let row = order[end]
                if event[row] == 1 { inside.with += weights[row] } else { inside.without += weights[row] }
                end += 1
            }
            for row in order[start..<end] {
                placements[row] =
                    event[row] == 1
                    ? (below.without + inside.without / 2) / totals.without
                    : (totals.with - below.with - inside.with / 2) / totals.with
            }
            area += inside.with * (below.without + inside.without / 2)
            below.with += inside.with
            below.without += inside.without
            start = end
        }
        area /= totals.with * totals.without
        let total = totals.with + totals.without
        let influence = placements.indices.map { row in
            weights[row] > 0
                ? (placements[row] - area) * total / (event[row] == 1 ? totals.with : totals.without) : 0
        }
        let error = NormalEstimate(
            scores: influence, shares: [Double](repeating: 1, count: influence.count), weights: weights,
            clusters: clusters)
        return NormalEstimate(estimate: area, stdError: error.stdError)
    }

    private static func slope(
        _ event: [Double], _ probabilities: [Double], _ weights: [Double], _ clusters: [Int32]?
    ) -> NormalEstimate? {
        let odds = probabilities.map { Double.log($0) - Double.log(onePlus: -$0) }
        let mean = Characteristics.mean(odds, weights)
        let rows = odds.indices.filter { weights[$0] > 0 }
        guard rows.contains(where: { event[$0] == 1 }), rows.contains(where: { event[$0] == 0 }),
            rows.contains(where: { odds[$0] != odds[rows[0]] })
        else { return nil }
        var beta = SIMD2<Double>(mean, 1)
        var inverse = (SIMD2<Double>.zero, SIMD2<Double>.zero)
        func solved(_ vector: SIMD2<Double>) -> SIMD2<Double> {
            SIMD2((inverse.0 * vector).sum(), (inverse.1 * vector).sum())
        }
        var isSettled = false
        for _ in 0..<100 {
            var (a, b, d) = (0.0, 0.0, 0.0)
            var gradient = SIMD2<Double>.zero
            for row in rows {
                let x = odds[row] - mean
                let share = Logistic.share(beta[0] + beta[1] * x)
                let curvature = weights[row] * share * (1 - share)
                a += curvature
                b += curvature * x
                d += curvature * x * x
                gradient += weights[row] * (event[row] - share) * SIMD2(1, x)
            }
            let determinant = a * d - b * b
            guard determinant > 1e-12 * a * d else { return nil }
            inverse = (SIMD2(d, -b) / determinant, SIMD2(-b, a) / determinant)
            let step = solved(gradient)
            beta += step
            guard beta[0].isFinite, beta[1].isFinite else { return nil }
            if abs(step[0]) + abs(step[1]) <= 1e-12 * (1 + abs(beta[0]) + abs(beta[1])) {
                isSettled = true
                break
            }
        }
        guard isSettled else { return nil }
        let total = rows.reduce(0) { $0 + weights[$1] }
        var influence = [Double](repeating: 0, count: odds.count)
        for row in rows {
            let x = odds[row] - mean
            let share = Logistic.share(beta[0] + beta[1] * x)
            influence[row] = solved(total * (event[row] - share) * SIMD2(1, x))[1]
        }
        let error = NormalEstimate(
            scores: influence, shares: [Double](repeating: 1, count: odds.count), weights: weights,
            clusters: clusters)
        return NormalEstimate(estimate: beta[1], stdError: error.stdError)
    }
}
