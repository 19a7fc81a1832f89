/// A baseline that looks at no feature: the weighted mean, the shares of the classes, or the constant effect.
///
/// - Regression and counts: Σ w·y / Σ w.
/// - Classification: each class's share of the weight.
/// - Residual loss: Σ w·r·t / Σ w·r², which minimises Σ w·(t − r·τ)² over constants τ.
///
/// It doubles as the propensity of a trial, where each arm has one probability.
public struct ConstantEstimator: BaseEstimator {
    /// The name and the capabilities.
    public static let backend = BackendDescription(
        name: "constant", summary: "mean or class shares, whatever the covariates are", version: "1",
        capabilities: [
            .regression, .binary, .multiclass, .weights, .missingValues, .categoricals, .residualLoss,
            .counts, .streamed,
        ])

    /// The checked configuration.
    public let spec: ConstantSpec

    /// Creates the estimator.
    ///
    /// - Throws: `invalidSpec` for a value out of range.
    public init(_ spec: ConstantSpec = ConstantSpec()) throws(MetaLearnersError) {
        self.spec = try spec.validated()
    }

    /// - Throws: `invalidData` for a regressor that is not finite or zero everywhere, `numericalFailure` where sums
    ///   overflow.
    /// - Complexity: O(rows).
    public func fit(_ task: TrainingTask, _ context: ExecutionContext) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try context.checkCancellation()
        let values: [Double]
        switch task.objective {
        case .regression, .count: values = [try Self.slope(task, regressor: nil)]
        case .residual(let regressor): values = [try Self.slope(task, regressor: regressor)]
        case .classification(let classes): values = Self.shares(task, classes)
        case .coefficient, .multiResidual, .multiRegression, .quantile:
            throw task.unsupportedObjective(by: Self.backend)
        }
        guard values.allSatisfy(\.isFinite) else {
            throw MetaLearnersError(
                .numericalFailure, at: Self.backend.name, "the mean of the target overflows",
                remedy: "rescale the target or the weights")
        }
        return FittedConstant(columnCount: task.features.columns.count, values: values)
    }

    /// Sums, whatever the rows and the features are.
    public func footprint(rows: Int, of features: Table, for objective: TrainingTask.Objective) -> Footprint {
        Footprint(shared: 0, working: 8 * objective.outputCount)
    }

    /// Reads a model that its `encode` wrote.
    ///
    /// - Throws: `corruptModel`.
    public static func decode(from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        try FittedConstant(from: &reader)
    }

    private static func slope(_ task: TrainingTask, regressor: [Double]?) throws(MetaLearnersError) -> Double
    {
        var total = 0.0
        // Deviations from a first value make the mean of a constant target exact.
        let rows = task.rows
        let target = task.numbers
        let start = regressor == nil ? target[Int(rows[0])] : 0
        var sum = 0.0
        for row in rows {
            let slope = regressor?[Int(row)] ?? 1
            guard slope.isFinite else {
                throw MetaLearnersError(
                    .invalidData, at: "regressor", "\(task.features.places.name(Int(row))) has \(slope)")
            }
            let weight = task.weights?[Int(row)] ?? 1
            guard weight > 0 else { continue }
            total += weight * slope * slope
            sum += weight * slope * (target[Int(row)] - slope * start)
        }
        guard total > 0 else {
            throw MetaLearnersError(
                .invalidData, at: "regressor", "it is zero in every row, so there is nothing to learn from")
        }
        return start + sum / total
    }

    private static func shares(_ task: TrainingTask, _ classes: Int) -> [Double] {
        var totals = [Double](repeating: 0, count: classes)
        let target = task.numbers
        for row in task.rows { totals[Int(target[Int(row)])] += task.weights?[Int(row)] ?? 1 }
        let total = totals.reduce(0, +)
        return totals.map { $0 / total }
    }
}
