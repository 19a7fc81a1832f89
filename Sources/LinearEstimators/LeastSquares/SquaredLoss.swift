import MetaLearnersCore

/// The loss Σ w·(t − r·f(x))² of a task, for f(x) = b + z·β with standardised z.
///
/// Regression has r = 1. Multiplied out by √w, a row is (√w·r)·z with the response √w·(t − r·b): nothing is ever
/// divided by r. The columns of z are centred with the weights w·r², so that b does not depend on β:
/// b = Σ w·r·t / Σ w·r².
struct SquaredLoss {
    /// The rows with w·r² > 0; the others have no influence on f.
    let rows: [Int32]
    /// w·r² of each of these.
    let importance: [Double]
    /// √w·r of each of these.
    let factors: [Double]
    /// √w·(t − r·b) of each of these.
    let responses: [Double]
    /// b: the value of f where every standardised column is 0.
    let intercept: Double

    /// - Throws: `unsupported` for a classification, `invalidData` for a regressor that is not finite or zero
    ///   everywhere, `numericalFailure` where sums overflow.
    init(_ task: TrainingTask, backend: String) throws(MetaLearnersError) {
        var regressor: [Double]?
        switch task.objective {
        case .regression: break
        case .residual(let values): regressor = values
        case .classification:
            throw MetaLearnersError(
                .unsupported, at: backend, "it estimates numbers, not the probabilities of classes",
                remedy: "use logistic")
        case .coefficient, .multiResidual, .multiRegression, .count, .quantile:
            throw MetaLearnersError(
                .unsupported, at: backend,
                "it cannot do \(task.objective.capability.names.joined(separator: ", "))",
                remedy: "use trees")
        }
        var rows: [Int32] = []
        var importance: [Double] = []
        var factors: [Double] = []
        for row in task.rows {
            let weight = task.weights?[Int(row)] ?? 1
            let slope = regressor?[Int(row)] ?? 1
            guard slope.isFinite else {
                throw MetaLearnersError(
                    .invalidData, at: "regressor", "\(task.features.places.name(Int(row))) has \(slope)")
            }
            let product = weight * slope * slope
            guard product > 0 else { continue }
            rows.append(row)
            importance.append(product)
            factors.append(weight.squareRoot() * slope)
        }
        let distribution = task.features.distribution
        let total = try distribution.sum([importance.reduce(0, +)])[0]
        guard total > 0 else {
            throw MetaLearnersError(
                .invalidData, at: "regressor", "it is zero in every row, so there is nothing to learn from")
        }
        // Sums of deviations from a first value are exact for a constant target. The second round corrects what
        // the first one lost to rounding.
        var intercept = 0.0
        if regressor == nil {
            let first = rows.first.map { [task.target[Int($0)]] } ?? []
            intercept = try distribution?.gather(first).first ?? first.first ?? 0
        }
        for _ in 0..<2 {
            var sum = 0.0
            for row in rows {
                let slope = regressor?[Int(row)] ?? 1
                sum += (task.weights?[Int(row)] ?? 1) * slope * (task.target[Int(row)] - slope * intercept)
            }
            intercept += try distribution.sum([sum])[0] / total
        }
        guard total.isFinite, intercept.isFinite else {
            throw MetaLearnersError(
                .numericalFailure, at: backend, "the mean of the target overflows",
                remedy: "rescale the target or the weights")
        }
        responses = rows.map { row in
            let slope = regressor?[Int(row)] ?? 1
            return (task.weights?[Int(row)] ?? 1).squareRoot() * (task.target[Int(row)] - slope * intercept)
        }
        self.rows = rows
        self.importance = importance
        self.factors = factors
        self.intercept = intercept
    }
}
