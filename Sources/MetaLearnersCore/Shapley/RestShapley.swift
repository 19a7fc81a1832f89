/// What of formulas is neither a sum of trees nor a function of a column or two: values by definition where few columns are in it,
/// else by random orders.
struct RestShapley: Sendable {
    /// The mean of each formula over the background rows.
    let means: [Double]
    let isExact: Bool

    private let formulas: CompiledFormulas
    private let columns: [Int]
    private let columnCount: Int
    private let background: CovariateMatrix
    private let ofBackground: [Double]
    private let walks: PermutationWalks?

    init(
        _ formulas: [Formula], _ columns: [Int], columnCount: Int, _ background: CovariateMatrix, pairs: Int,
        seed: UInt64, isExact: Bool
    ) throws(MetaLearnersError) {
        self.formulas = try CompiledFormulas(FormulaGraph(formulas), columnCount: columnCount)
        self.columns = columns
        self.columnCount = columnCount
        self.background = background
        self.isExact = isExact
        let values = try self.formulas.values(of: background)
        ofBackground = values
        means = formulas.indices.map { channel in
            (0..<background.rowCount).reduce(0) { $0 + values[$1 * formulas.count + channel] }
                / Double(background.rowCount)
        }
        walks =
            isExact
            ? nil
            : PermutationWalks(
                columns: columns, backgroundCount: background.rowCount, pairs: pairs, seed: seed)
    }

    /// Adds the values of every row to `target`, and their standard errors to `errors`.
    ///
    /// - Parameter stride: how many numbers a row has there.
    func add(
        of matrix: CovariateMatrix, to target: UnsafeMutablePointer<Double>,
        errors: UnsafeMutablePointer<Double>?, stride: Int, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let channels = formulas.outputCount
        let size = channels * columns.count
        let target = SharedTarget(start: target)
        let errorTarget = errors.map { SharedTarget(start: $0) }
        try formulas.forEachRow(of: matrix, extraRoom: columnCount + channels + 2 * size, context) {
            row, values, room, isFinite in
            // Behind the room of the formulas: the row itself, its value, and what columns get.
            let own = room + formulas.roomCount
            let ofRow = own + columnCount
            let found = ofRow + channels
            matrix.copyRow(row, to: own)
            for channel in 0..<channels { ofRow[channel] = values[channel] }
            func evaluate(_ room: UnsafeMutablePointer<Double>) -> UnsafePointer<Double> {
                if !formulas.evaluate(room, to: values) { isFinite = false }
                return UnsafePointer(values)
            }
            let foundErrors = errorTarget == nil ? nil : found + size
            if let walks {
                ofBackground.withUnsafeBufferPointer { ofBackground in
                    guard let ofBackground = ofBackground.baseAddress else { return }
                    walks.walk(
                        own, background, channels: channels, ofRow: ofRow, ofBackground: ofBackground,
                        room: room, values: found, errors: foundErrors, evaluate)
                }
            } else {
                ColumnSubsets(columns: columns).explain(
                    own, background, channels: channels, room: room, values: found, evaluate)
            }
            for channel in 0..<channels {
                for (place, column) in columns.enumerated() {
                    let index = row * stride + channel * columnCount + column
                    target.start[index] += found[channel * columns.count + place]
                    if let errorTarget, let foundErrors {
                        errorTarget.start[index] = foundErrors[channel * columns.count + place]
                    }
                }
            }
        }
    }
}

extension CompiledFormulas {
    /// Rows that one part of the work takes.
    private static let blockRows = 16

    /// The values of every row, row by row.
    ///
    /// - Throws: `numericalFailure` where one is not finite.
    func values(of matrix: CovariateMatrix) throws(MetaLearnersError) -> [Double] {
        let room = try AlignedBuffer<Double>(zeroed: roomCount)
        var results = [Double](repeating: 0, count: matrix.rowCount * outputCount)
        var isFinite = true
        results.withUnsafeMutableBufferPointer { results in
            guard let results = results.baseAddress else { return }
            for row in 0..<matrix.rowCount {
                matrix.copyRow(row, to: room.start)
                if !evaluate(room.start, to: results + row * outputCount) { isFinite = false }
            }
        }
        if !isFinite { throw Self.overflow }
        return results
    }

    /// Computes every row, and hands it over with its values.
    func forEachRow(
        of matrix: CovariateMatrix, _ context: ExecutionContext,
        _ body: @Sendable (Int, UnsafeMutablePointer<Double>) -> Void
    ) throws(MetaLearnersError) {
        try forEachRow(of: matrix, extraRoom: 0, context) { row, values, _, _ in body(row, values) }
    }

    /// The same with the room, behind which there are `extraRoom` numbers more; `body` may compute other rows in it and write to
    /// the values, and says whether all that it found was finite.
    ///
    /// - Throws: `cancelled`, `outOfMemory`; `numericalFailure` where a value is not finite.
    func forEachRow(
        of matrix: CovariateMatrix, extraRoom: Int, _ context: ExecutionContext,
        _ body:
            @Sendable (Int, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>, inout Bool) -> Void
    ) throws(MetaLearnersError) {
        let blocks = (matrix.rowCount + Self.blockRows - 1) / Self.blockRows
        let failure = Lock<MetaLearnersError?>(nil)
        context.concurrently(blocks) { block in
            if context.isCancelled { return }
            guard let room = try? AlignedBuffer<Double>(zeroed: roomCount + extraRoom + outputCount) else {
                failure.withLock {
                    $0 = MetaLearnersError(.outOfMemory, "there is no memory for the explanation")
                }
                return
            }
            let values = room.start + roomCount + extraRoom
            var isFinite = true
            for row in block * Self.blockRows..<min(matrix.rowCount, (block + 1) * Self.blockRows) {
                if context.isCancelled { return }
                matrix.copyRow(row, to: room.start)
                if !evaluate(room.start, to: values) { isFinite = false }
                body(row, values, room.start, &isFinite)
            }
            if !isFinite { failure.withLock { $0 = Self.overflow } }
        }
        try context.checkCancellation()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    private static var overflow: MetaLearnersError {
        MetaLearnersError(
            .numericalFailure, at: "explanation",
            "a prediction overflows in a row that is explained or of the background",
            remedy: "look for extreme values in the covariates")
    }
}
