import MetaLearnersCore

/// Explains the effects of rows: what all rows share is prepared once.
///
///     let explainer = try model.explainer(background: table)
///     let explanation = try explainer.explain(table)
///
/// Immutable; any number of threads may use one at once.
public struct EffectExplainer: Sendable {
    /// The names of the effects explained.
    public let outputNames: [String]
    /// The covariates, in the order of training.
    public var featureNames: [String] { model.schema.fields.map(\.name) }
    /// How values are found.
    public let method: ShapleyMethod
    /// The same in a sentence.
    public let note: String
    /// The expected value of each effect.
    public let baseValues: [Double]
    /// The rows that absent covariates take their values from; 0 where none are needed.
    public let backgroundRowCount: Int

    private let model: CATEModel
    private let request: ExplanationRequest
    private let engine: Engine

    private enum Engine: Sendable {
        case formulas(FormulaShapley)
        case predictions(PredictedShapley)
    }

    fileprivate init(
        _ model: CATEModel, _ request: ExplanationRequest, background: Table, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let request = try request.validated()
        self.model = model
        self.request = request
        outputNames = try model.columnNames(request.prediction)
        guard !model.schema.fields.isEmpty else {
            throw MetaLearnersError(.unsupported, at: "explain", "the model has no covariates")
        }
        let aligned = try AlignedRows(background, model.schema, model.spec.data)
        guard background.rowCount > 0 else {
            throw MetaLearnersError(
                .invalidData, at: "background", "has no rows",
                remedy: "give rows that absent covariates take their values from")
        }
        let drawn = aligned.features.drawing(request.backgroundRows, seed: request.seed)
        let matrix = try CovariateMatrix(drawn)
        engine = try Self.engine(model, request, drawn, matrix, context)
        let count = NumberedText.counted(matrix.rowCount, "background row")
        let orders =
            "\(NumberedText.counted(request.permutations, "order")) of the covariates and \(request.permutations == 1 ? "its" : "their") reverse for each of \(count)"
        switch engine {
        case .formulas(let shapley):
            method = shapley.method
            baseValues = shapley.baseValues
            switch shapley.method {
            case .pathDependent:
                note =
                    "exact path-dependent values: absent covariates count by the training rows at the splits of the trees"
            case .interventional:
                note = "exact interventional values: absent covariates have the values of \(count)"
            case .permutation:
                note =
                    "interventional values of the effect as a whole, partly estimated (\(shapley.sampledColumnCount) covariates): \(orders)"
            }
            backgroundRowCount = shapley.method == .pathDependent ? 0 : matrix.rowCount
        case .predictions(let shapley):
            method = .permutation
            baseValues = shapley.baseValues
            backgroundRowCount = matrix.rowCount
            note = "interventional values of the effect as a whole, estimated from predictions: \(orders)"
        }
    }

    private static func engine(
        _ model: CATEModel, _ request: ExplanationRequest, _ background: Table, _ matrix: CovariateMatrix,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Engine {
        let seed = UInt64(truncatingIfNeeded: request.seed)
        func explained(_ formulas: [Formula], _ method: ShapleyMethod?) throws(MetaLearnersError) -> Engine {
            .formulas(
                try FormulaShapley(
                    formulas, columns: matrix.columnCount, method: method, background: matrix,
                    pairs: request.permutations, seed: seed, context))
        }
        try model.requireExplainable(request.prediction)
        do throws(MetaLearnersError) {
            let formulas = try model.formulas(request.prediction)
            switch request.method {
            case .pathDependent: return try explained(formulas, .pathDependent)
            case .interventional: return try explained(formulas, .interventional)
            case .permutation: return try explained(formulas, .permutation)
            case .automatic:
                do throws(MetaLearnersError) {
                    return try explained(formulas, nil)
                } catch  where error.kind == .unsupported {
                    return try explained(formulas, .permutation)
                }
            }
        } catch  where error.kind == .unsupported && [.automatic, .permutation].contains(request.method) {
            // What does not say what it computes can still be asked.
            return .predictions(
                try PredictedShapley(
                    model, request.prediction, background, matrix, pairs: request.permutations, seed: seed,
                    context))
        }
    }

    /// Explains the effects of rows.
    ///
    /// - Parameter table: columns by name; those that the model does not know are ignored.
    /// - Throws: `invalidData` for a column that is missing or of the wrong kind, `cancelled`, `outOfMemory`,
    ///   `numericalFailure` where a prediction overflows.
    /// - Complexity: sums of trees O(rows · nodes); where values are estimated, O(rows · background rows · orders · covariates)
    ///   predictions.
    public func explain(_ table: Table, _ options: ExecutionOptions = ExecutionOptions())
        throws(MetaLearnersError) -> Explanation
    {
        let (cells, overflow) = (outputNames.count * featureNames.count).multipliedReportingOverflow(
            by: table.rowCount)
        try AvailableMemory.require(overflow ? .max : cells, of: 48, for: "the explanation")
        let parts = Lock<[Explanation]>([])
        try explainParts(table, options) { part throws(MetaLearnersError) in
            parts.withLock { $0.append(part) }
        }
        return Explanation(joining: parts.withLock { $0 })
    }

    /// Explains the effects of rows part by part, so that no more than a part is held at a time: in order, at least one part, each
    /// with the warnings of the whole.
    ///
    /// - Throws: what `explain` and `body` throw.
    public func explainParts(
        _ table: Table, _ options: ExecutionOptions = ExecutionOptions(),
        _ body: @Sendable (Explanation) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) {
        let rows = try AlignedRows(table, model.schema, model.spec.data)
        let features = rows.features
        // What is sampled takes long: progress is told, and cancellation heard, between parts.
        let size = method == .permutation ? 256 : 32_768
        let count = max((features.rowCount + size - 1) / size, 1)
        try Scheduler(options).run("explain", count: count, sideBySide: 1) {
            index, context throws(MetaLearnersError) in
            let range = index * size..<min((index + 1) * size, features.rowCount)
            let part = count == 1 ? features : features.selecting(rows: range.map { Int32($0) })
            try body(try explained(part, rows.warnings, context))
        }
    }

    private func explained(_ features: Table, _ warnings: [String], _ context: ExecutionContext)
        throws(MetaLearnersError) -> Explanation
    {
        let options = ExecutionOptions(threads: context.threads, cancellation: context.cancellation)
        let prediction = try model.predict(request.prediction, for: .new(features), options)
        let matrix = try CovariateMatrix(features)
        var found: ShapleyValues
        switch engine {
        case .formulas(let shapley): found = try shapley.explain(matrix, context)
        case .predictions(let shapley): found = try shapley.explain(matrix, context)
        }
        let gap = found.close(to: prediction.columns, from: baseValues)
        var warnings = warnings + prediction.warnings
        let size = prediction.columns.reduce(baseValues.reduce(0) { max($0, abs($1)) }) { size, column in
            column.reduce(size) { max($0, abs($1)) }
        }
        if gap > 1e-4 * size {
            warnings.append(
                "the values were up to \(gap) away from adding up to the prediction: do not rely on them, and report the model"
            )
        }
        return Explanation(
            outputNames: outputNames, featureNames: featureNames, values: found.values,
            standardErrors: found.errors, baseValues: baseValues, effects: prediction.columns,
            features: features, method: method, note: note, backgroundRowCount: backgroundRowCount,
            largestGap: gap, warnings: warnings)
    }
}

extension CATEModel {
    /// Prepares to explain the model's effects.
    ///
    /// - Parameters:
    ///   - background: the rows that absent covariates take their values from; `request.backgroundRows` of them are drawn.
    /// - Throws: `invalidSpec` or `invalidArgument` for a request that cannot be, `invalidData` for a background that the model
    ///   cannot read, `unsupported` for a method that does not go with the model.
    public func explainer(
        _ request: ExplanationRequest = ExplanationRequest(), background: Table,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> EffectExplainer {
        try EffectExplainer(self, request, background: background, Scheduler(options).context)
    }

    /// Explains the effects of the rows of a table: Shapley values of the covariates.
    ///
    /// - Parameters:
    ///   - table: columns by name; those that the model does not know are ignored.
    ///   - background: the rows that absent covariates take their values from; nil for those of `table`.
    /// - Throws: what `explainer` and `EffectExplainer.explain` throw.
    public func explain(
        _ table: Table, _ request: ExplanationRequest = ExplanationRequest(), background: Table? = nil,
        _ options: ExecutionOptions = ExecutionOptions()
    ) throws(MetaLearnersError) -> Explanation {
        try explainer(request, background: background ?? table, options).explain(table, options)
    }

    /// Refuses what is no function of the covariates.
    fileprivate func requireExplainable(_ request: PredictionRequest) throws(MetaLearnersError) {
        guard overlap.isKnown, fitted.needsPropensities(armCount: armLabels.count),
            try spec.data.shares(armCount: armLabels.count) == nil, !spec.data.propensity.isEmpty
        else { return }
        throw MetaLearnersError(
            .unsupported, at: "propensity",
            "the effects depend on known propensities of each row, which are no covariates",
            remedy: "give the shares of the trial as numbers, or a learner whose effects do not take them")
    }
}

extension Table {
    /// So many rows drawn at random, in their order; all where there are no more.
    fileprivate func drawing(_ count: Int, seed: Int) -> Table {
        guard rowCount > count else { return self }
        var stream = RandomStream(seed: UInt64(truncatingIfNeeded: seed), path: 0x4241_434B)
        var rows: [Int32] = []
        stream.select(count, of: rowCount) { row, isDrawn in if isDrawn { rows.append(Int32(row)) } }
        return selecting(rows: rows)
    }
}

extension ShapleyValues {
    /// Shares out what the values and the base value lack of the predictions, by the size of the values: rounding errors, such as
    /// those of sums in single precision.
    ///
    /// - Returns: the largest difference that there was.
    mutating func close(to predictions: [[Double]], from bases: [Double]) -> Double {
        let outputs = predictions.count
        guard let rows = predictions.first?.count, rows > 0, outputs > 0 else { return 0 }
        let width = values.count / (rows * outputs)
        var closed = values
        var largest = 0.0
        for row in 0..<rows {
            for output in 0..<outputs {
                let first = (row * outputs + output) * width
                let range = first..<first + width
                let size = range.reduce(0) { $0 + abs(closed[$1]) }
                let gap = range.reduce(predictions[output][row] - bases[output]) { $0 - closed[$1] }
                largest = max(largest, abs(gap))
                guard gap != 0 else { continue }
                for place in range {
                    closed[place] += size > 0 ? gap * (abs(closed[place]) / size) : gap / Double(width)
                }
            }
        }
        self = ShapleyValues(values: closed, errors: errors)
        return largest
    }
}

/// Numbers with their nouns.
private enum NumberedText {
    static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
