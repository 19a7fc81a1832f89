import MetaLearnersCore

/// Shapley values of effects of which nothing is known but their predictions: of plug-ins, and of whatever has no formula.
struct PredictedShapley: Sendable {
    let baseValues: [Double]

    private let model: CATEModel
    private let request: PredictionRequest
    private let background: CovariateMatrix
    private let ofBackground: AlignedBuffer<Double>
    private let walks: PermutationWalks

    /// Rows that are predicted at a time, about.
    private static let blockRows = 65_536

    init(
        _ model: CATEModel, _ request: PredictionRequest, _ table: Table, _ background: CovariateMatrix,
        pairs: Int, seed: UInt64, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        self.model = model
        self.request = request
        self.background = background
        let columns = try model.predict(request, for: .new(table), Self.options(context)).columns
        baseValues = columns.map { $0.reduce(0, +) / Double(background.rowCount) }
        ofBackground = try AlignedBuffer(
            (0..<background.rowCount).flatMap { row in columns.map { $0[row] } })
        walks = PermutationWalks(
            columns: Array(0..<background.columnCount), backgroundCount: background.rowCount, pairs: pairs,
            seed: seed)
    }

    private static func options(_ context: ExecutionContext) -> ExecutionOptions {
        ExecutionOptions(threads: context.threads, cancellation: context.cancellation)
    }

    /// The Shapley values of the columns of every row, estimated.
    ///
    /// - Throws: what `predict` throws.
    func explain(_ matrix: CovariateMatrix, _ context: ExecutionContext) throws(MetaLearnersError)
        -> ShapleyValues
    {
        let (channels, width) = (baseValues.count, matrix.columnCount)
        let size = channels * width
        try AvailableMemory.require(matrix.rowCount * size, of: 32, for: "the explanation")
        // What one row asks: twice as numbers, and what is predicted.
        let (ways, overflow) = (2 * walks.pairCount).multipliedReportingOverflow(
            by: walks.backgroundCount * width)
        try AvailableMemory.require(
            overflow ? .max : ways, of: 8 * (2 * width + channels),
            for: "the predictions that a row is explained by",
            remedy: "lower permutations or background_rows")
        let values = try AlignedBuffer<Double>(zeroed: matrix.rowCount * size)
        let errors = try AlignedBuffer<Double>(zeroed: matrix.rowCount * size)
        let ignored = try AlignedBuffer<Double>(zeroed: size)
        let row = try AlignedBuffer<Double>(zeroed: width)
        let room = try AlignedBuffer<Double>(zeroed: width)
        let ofRow = try AlignedBuffer<Double>(zeroed: channels)
        let found = try AlignedBuffer<Double>(zeroed: channels)
        func walk(
            _ index: Int, _ values: UnsafeMutablePointer<Double>, _ errors: UnsafeMutablePointer<Double>?,
            _ evaluate: (UnsafeMutablePointer<Double>) -> UnsafePointer<Double>
        ) {
            for column in 0..<width { row.start[column] = matrix.value(index, column) }
            walks.walk(
                row.start, background, channels: channels, ofRow: ofRow.start,
                ofBackground: ofBackground.start, room: room.start, values: values, errors: errors, evaluate)
        }
        // What the ways of some rows pass through, column by column, is collected and predicted at once. Then the same ways are
        // gone again with what was predicted.
        var asked = [[Double]](repeating: [], count: width)
        var ends: [Int] = []
        for index in 0..<matrix.rowCount {
            func ask(_ values: UnsafeMutablePointer<Double>) {
                for column in 0..<width { asked[column].append(values[column]) }
            }
            walk(index, ignored.start, nil) { room in
                ask(room)
                return UnsafePointer(found.start)
            }
            ask(row.start)
            ends.append(asked[0].count)
            guard asked[0].count >= Self.blockRows || index == matrix.rowCount - 1 else { continue }
            try context.checkCancellation()
            let predicted = try model.predict(
                request, for: .new(table(asked)), Self.options(context)
            ).columns
            var next = 0
            for (place, end) in ends.enumerated() {
                let explained = index + 1 - ends.count + place
                for channel in 0..<channels { ofRow.start[channel] = predicted[channel][end - 1] }
                walk(explained, values.start + explained * size, errors.start + explained * size) { _ in
                    for channel in 0..<channels { found.start[channel] = predicted[channel][next] }
                    next += 1
                    return UnsafePointer(found.start)
                }
                next = end
            }
            ends = []
            for column in 0..<width { asked[column].removeAll(keepingCapacity: true) }
        }
        let count = matrix.rowCount * size
        return ShapleyValues(
            values: Array(UnsafeBufferPointer(start: values.start, count: count)),
            errors: Array(UnsafeBufferPointer(start: errors.start, count: count)))
    }

    /// Rows as the model's columns.
    private func table(_ columns: [[Double]]) throws(MetaLearnersError) -> Table {
        try Table(
            zip(model.schema.fields, columns).map { field, values in
                switch field.kind {
                case .numeric: Column(field.name, values)
                case .categorical(let levels):
                    Column(
                        field.name, codes: StridedValues(values.map { $0.isNaN ? -1 : Int32($0) }),
                        levels: levels)
                }
            })
    }
}
