import MetaLearnersCore
import Synchronization

/// A fitted model prepared to predict one row at a time: `CATEModel.rowPredictor(columns:)` makes it.
///
/// It computes the model's formulas, laid out for that: in microseconds, without a thread and without allocating memory. The
/// values are those of `predict` to 1e-12 of the size of the outcome, and to the bit where models of trees are added or
/// compared; those of XGBoost, which adds up in single precision, to 1e-5. What has no formula (`isCompiled` is false) is
/// predicted as a table of one row, which takes some hundred microseconds and gives the same values.
///
/// It never changes. Any number of threads may use it at once; those that are in it at the same moment allocate the memory
/// that a row takes, but for the first of them. A thread with a predictor of its own never does.
public final class RowPredictor: Sendable {
    /// The names of the columns whose values make a row, in order.
    public let columnNames: [String]
    /// The names of what is predicted, as `predict` has them.
    public let outputNames: [String]
    /// The levels of each column, whose places are their codes; none of numbers.
    public let levels: [[String]]
    /// Whether rows are computed by formulas.
    public var isCompiled: Bool { formulas != nil }

    private let model: CATEModel
    private let request: PredictionRequest
    /// The model's columns.
    private let inputs: AlignedBuffer<RowInput>
    /// What numbers and codes are replaced by: see `RowInput`.
    private let replacements: AlignedBuffer<Double>
    private let formulas: CompiledFormulas?
    private let room: AlignedBuffer<Double>
    private let isRoomTaken = Atomic(false)

    /// Prepares `model`.
    ///
    /// - Parameters:
    ///   - columns: the names of the values of a row, in order; the model's own for nil. Those that it does not know are
    ///     ignored, as `predict` ignores them.
    /// - Throws: `invalidData` for a column that is missing or occurs twice, and what `predict` throws of the request.
    fileprivate init(_ model: CATEModel, _ columns: [String]?, _ request: PredictionRequest)
        throws(MetaLearnersError)
    {
        self.model = model
        self.request = request
        columnNames = columns ?? model.schema.fields.map(\.name)
        outputNames = try model.columnNames(request)
        let missing = MissingValues(model.spec.data.missingValues)
        // Throws what is wrong with the columns.
        _ = try model.schema.align(
            Table(
                columnNames.map { name throws(MetaLearnersError) in try model.schema.rowColumn(name, .nan) }))
        let places = Dictionary(
            columnNames.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let fields = Dictionary(
            model.schema.fields.map { ($0.name, $0.kind) }, uniquingKeysWith: { first, _ in first })
        levels = columnNames.map { if case .categorical(let levels) = fields[$0] { levels } else { [] } }
        var inputs: [RowInput] = []
        var replacements: [Double] = []
        for field in model.schema.fields {
            let source = places[field.name] ?? 0
            let first = replacements.count
            if case .categorical(let levels) = field.kind {
                replacements += levels.enumerated().map { missing.contains($1) ? .nan : Double($0) }
                inputs.append(RowInput(source: source, first: first, count: levels.count, isCategory: true))
            } else {
                replacements += missing.numbers.sorted()
                inputs.append(
                    RowInput(source: source, first: first, count: missing.numbers.count, isCategory: false))
            }
        }
        self.inputs = try AlignedBuffer(inputs)
        self.replacements = try AlignedBuffer(replacements)
        var formulas: CompiledFormulas?
        do throws(MetaLearnersError) {
            formulas = try CompiledFormulas(
                FormulaGraph(model.formulas(request)), columnCount: inputs.count)
        } catch  where error.kind != .unsupported {
            throw error
        } catch {}
        self.formulas = formulas
        room = try AlignedBuffer(zeroed: formulas?.roomCount ?? 0)
    }

    /// Predicts a row: a number for each of `outputNames`.
    ///
    /// - Parameter row: a value for each of `columnNames`: a number, or the code of a level as `CATEModel.schema` counts them
    ///   from 0. NaN is missing, and so is a negative code.
    /// - Throws: `invalidArgument` for a row of another length; `invalidData` for a code that is none; what `predict` throws,
    ///   such as `numericalFailure` where a prediction overflows.
    public func predict(_ row: [Double]) throws(MetaLearnersError) -> [Double] {
        guard row.count == columnNames.count else {
            throw MetaLearnersError(
                .invalidArgument, at: "row", "has \(row.count) values for \(columnNames.count) columns")
        }
        var results = [Double](repeating: 0, count: outputNames.count)
        var failure: MetaLearnersError?
        row.withUnsafeBytes { row in
            results.withUnsafeMutableBufferPointer { results in
                guard let results = results.baseAddress else { return }
                do throws(MetaLearnersError) {
                    try predict(row.baseAddress ?? UnsafeRawPointer(results), to: results)
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
        return results
    }

    /// The same from and to memory of the caller.
    ///
    /// - Parameters:
    ///   - row: as many Double as there are `columnNames`; they need not be aligned.
    ///   - results: room for as many as there are `outputNames`.
    package func predict(_ row: UnsafeRawPointer, to results: UnsafeMutablePointer<Double>)
        throws(MetaLearnersError)
    {
        guard !compute(row, to: results) else { return }
        var columns: [Column] = []
        for (index, name) in columnNames.enumerated() {
            let value = row.loadUnaligned(fromByteOffset: index * 8, as: Double.self)
            columns.append(try model.schema.rowColumn(name, value))
        }
        let prediction = try model.predict(
            request, for: .new(Table(columns, rowCount: 1)), ExecutionOptions(threads: 1))
        for (index, column) in prediction.columns.enumerated() { results[index] = column[0] }
    }

    /// Computes a row by formulas; false where there are none, a code is none, or a prediction overflows.
    package func compute(_ row: UnsafeRawPointer, to results: UnsafeMutablePointer<Double>) -> Bool {
        guard let formulas else { return false }
        if isRoomTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged {
            defer { isRoomTaken.store(false, ordering: .releasing) }
            return read(row, to: room.start) && formulas.evaluate(room.start, to: results)
        }
        guard let room = try? AlignedBuffer<Double>(zeroed: formulas.roomCount) else { return false }
        return read(row, to: room.start) && formulas.evaluate(room.start, to: results)
    }

    /// Reads a row in the order of the model's columns; false for a code that is none.
    private func read(_ row: UnsafeRawPointer, to values: UnsafeMutablePointer<Double>) -> Bool {
        for index in 0..<inputs.count {
            let input = inputs.start[index]
            let value = row.loadUnaligned(fromByteOffset: input.source * 8, as: Double.self)
            values[index] = value
            guard input.count > 0 || input.isCategory else { continue }
            let replacements = self.replacements.start + input.first
            if !input.isCategory {
                for place in 0..<input.count where value == replacements[place] { values[index] = .nan }
            } else if !(value >= 0) {
                values[index] = .nan
            } else if value < Double(input.count), value == value.rounded(.down) {
                values[index] = replacements[Int(value)]
            } else {
                return false
            }
        }
        return true
    }
}

/// A column of the model, and what becomes of its values.
private struct RowInput: BitwiseCopyable {
    /// Its place in a row.
    let source: Int
    /// Where its replacements begin, and how many there are: of numbers those that are missing, of a category what each code
    /// becomes.
    let first: Int
    let count: Int
    let isCategory: Bool
}

extension CovariateSchema {
    /// A column of one row, with the levels that the model knows; a number where it knows none.
    ///
    /// - Throws: `invalidData` for a code that is no whole number.
    fileprivate func rowColumn(_ name: String, _ value: Double) throws(MetaLearnersError) -> Column {
        guard case .categorical(let levels) = fields.first(where: { $0.name == name })?.kind else {
            return Column(name, [value])
        }
        guard let code = value >= 0 ? Int32(exactly: value) : -1 else {
            throw MetaLearnersError(
                .invalidData, at: "column '\(name)'", "\(value) is no code of its \(levels.count) levels",
                remedy: "codes count from 0, and negative ones are missing")
        }
        return Column(name, codes: StridedValues([code]), levels: levels)
    }
}

extension CATEModel {
    /// The model prepared to predict one row at a time, as a service wants it.
    ///
    ///     let predictor = try model.rowPredictor(columns: ["age", "income"])
    ///     let effects = try predictor.predict([41, 52_000])
    ///
    /// - Parameters:
    ///   - columns: the names of the values of a row, in order; the model's own for nil.
    ///   - request: what to predict.
    /// - Throws: `invalidData` for a column that is missing or occurs twice, and what `predict` throws of the request.
    /// - Complexity: O(size of the model).
    public func rowPredictor(
        columns: [String]? = nil, _ request: PredictionRequest = PredictionRequest()
    ) throws(MetaLearnersError) -> RowPredictor { try RowPredictor(self, columns, request) }

    /// The effects' predictor, where it is known to predict as `predict` does to the bit: numbers only, and models of trees
    /// whose predictions are added, compared and averaged.
    package func exactRowPredictor() throws(MetaLearnersError) -> RowPredictor? {
        guard schema.fields.allSatisfy({ $0.kind == .numeric }), spec.data.missingValues.isEmpty,
            let graph = try? FormulaGraph(formulas()), graph.nodes.allSatisfy(\.isExact)
        else { return nil }
        // What a backend adds up in another order or in single precision shows in random rows.
        var stream = RandomStream(seed: 0x524F_5753)
        let count = 32
        let columns = schema.fields.map { field in
            Column(field.name, (0..<count).map { $0 % 8 == 0 ? .nan : 4 * stream.uniform() - 2 })
        }
        let predictor = try rowPredictor()
        guard let table = try? Table(columns, rowCount: count),
            let expected = try? predict(table, ExecutionOptions(threads: 1)).effects
        else { return nil }
        for row in 0..<count {
            guard let found = try? predictor.predict(columns.map { $0.values[row] }),
                zip(found, expected).allSatisfy({ $0.bitPattern == $1[row].bitPattern })
            else { return nil }
        }
        return predictor
    }
}

extension FormulaNode {
    /// Whether models compute the step in just one way.
    fileprivate var isExact: Bool {
        switch self {
        case .constant, .trees, .difference, .sigmoid, .exp, .clip, .mean: true
        default: false
        }
    }
}
