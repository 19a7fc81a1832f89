/// The same prediction for every row.
struct FittedConstant: FittedEstimator {
    private let columnCount: Int
    let values: [Double]

    var backendName: String { ConstantEstimator.backend.name }
    var outputCount: Int { values.count }

    init(columnCount: Int, values: [Double]) {
        self.columnCount = columnCount
        self.values = values
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        try requireColumns(columnCount, in: features)
        let count = rows?.count ?? features.rowCount
        var predictions: [Double] = []
        let (total, overflow) = count.multipliedReportingOverflow(by: values.count)
        guard !overflow else { throw MetaLearnersError(.outOfMemory, "there are too many predictions") }
        predictions.reserveCapacity(total)
        for _ in 0..<count { predictions += values }
        return predictions
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(columnCount))
        writer.write(values)
    }

    init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        guard let columnCount = Int(exactly: try reader.read(UInt64.self)) else {
            throw BinaryReader.corrupt("a count is larger than the file")
        }
        let values = try reader.readDoubles()
        guard !values.isEmpty, values.allSatisfy(\.isFinite) else {
            throw BinaryReader.corrupt("the values of a constant make no sense")
        }
        self.columnCount = columnCount
        self.values = values
    }
}
