import CMetaLearners
import MetaLearnersCore

/// A column of Arrow, chunk by chunk.
struct ArrowColumn {
    let name: String
    let schema: ArrowSchema
    let chunks: [ArrowChunk]
    /// What keeps the buffers alive.
    let owner: ArrowStructures

    private var place: String { "column '\(name)'" }
    private var rows: Int { chunks.reduce(0) { $0 + $1.rows } }
    private var hasNulls: Bool { chunks.contains { $0.validity != nil } }

    /// The type of the numbers, of a dictionary that of the indices.
    static func type(of schema: ArrowSchema, _ place: String) throws(MetaLearnersError) -> ArrowType {
        let type = try ArrowType(schema.format, place)
        guard schema.dictionary != nil else { return type }
        guard case .numbers(let element) = type, !element.isFloatingPoint else {
            throw MetaLearnersError(.invalidData, at: place, "the indices of a dictionary are no integers")
        }
        return type
    }

    /// The column as the library has it.
    ///
    /// - Throws: `invalidData`, `unsupported`, `outOfMemory`.
    func column() throws(MetaLearnersError) -> Column {
        let type = try Self.type(of: schema, place)
        if schema.dictionary != nil { return try categories(type) }
        switch type {
        case .numbers(let element): return Column(name, try numbers(element))
        case .half:
            return Column(
                name,
                try copied(Float.self, .float32, type) {
                    Self.float(half: $0.loadUnaligned(fromByteOffset: $1 * 2, as: UInt16.self))
                })
        case .bool:
            return Column(
                name,
                try hasNulls
                    ? copied(Float.self, .float32, type) { Self.bit($0, $1) ? 1 : 0 }
                    : copied(UInt8.self, .uint8, type) { Self.bit($0, $1) ? 1 : 0 })
        case .text, .largeText, .textView: return try texts(type)
        case .nothing:
            let nothing = ColumnMemory(copying: [Double.nan])
            return Column(name, try StridedValues(nothing, element: .float64, count: rows, stride: 0))
        }
    }

    // MARK: Numbers

    private func numbers(_ element: StridedValues.Element) throws(MetaLearnersError) -> StridedValues {
        if !hasNulls, chunks.count == 1 { return try borrowed(chunks[0], element) }
        let parts = try chunks.map { chunk throws(MetaLearnersError) in try borrowed(chunk, element) }
        guard hasNulls else { return try StridedValues.joined(parts, element) }
        let masks = chunks.map { chunk in { chunk.isThere($0) } }
        return try StridedValues.joined(parts, masks: masks, place)
    }

    /// The numbers of a chunk where they are.
    private func borrowed(_ chunk: ArrowChunk, _ element: StridedValues.Element) throws(MetaLearnersError)
        -> StridedValues
    {
        let size = element.size
        guard let data = try chunk.buffer(1, place) else {
            return try StridedValues(
                ColumnMemory(copying: [UInt8]()), element: element, count: 0, stride: size)
        }
        let start = UInt(bitPattern: data).addingReportingOverflow(UInt(chunk.first * size))
        let end = start.partialValue.addingReportingOverflow(UInt(chunk.rows * size))
        guard !start.overflow, !end.overflow, end.partialValue <= AddressSpace.end else {
            throw MetaLearnersError(.invalidData, at: place, "a buffer is where no memory is")
        }
        let owner = self.owner
        let bytes = UnsafeRawBufferPointer(start: data + chunk.first * size, count: chunk.rows * size)
        let memory = ColumnMemory(borrowing: bytes) { withExtendedLifetime(owner) {} }
        return try StridedValues(memory, element: element, count: chunk.rows, stride: size)
    }

    /// Numbers of another type than Arrow has them; NaN where they are missing.
    private func copied<Value: BitwiseCopyable>(
        _: Value.Type, _ element: StridedValues.Element, _ type: ArrowType,
        _ value: (UnsafeRawPointer, Int) -> Value
    ) throws(MetaLearnersError) -> StridedValues {
        var buffers: [UnsafeRawPointer?] = []
        for chunk in chunks { buffers.append(try chunk.buffer(1, place)) }
        let memory = try ColumnMemory(count: rows, of: Value.self) { target in
            var next = 0
            for (chunk, buffer) in zip(chunks, buffers) {
                guard let buffer else { continue }
                for row in 0..<chunk.rows {
                    target[next] = value(buffer, chunk.first + row)
                    if !chunk.isThere(row), let nan = Float.nan as? Value { target[next] = nan }
                    next += 1
                }
            }
        }
        return try StridedValues(memory, element: element, count: rows, stride: MemoryLayout<Value>.size)
    }

    private static func bit(_ bits: UnsafeRawPointer, _ index: Int) -> Bool {
        ArrowChunk.bit(bits.assumingMemoryBound(to: UInt8.self), index)
    }

    /// A number of half precision (IEEE 754 binary16), exactly.
    private static func float(half: UInt16) -> Float {
        let sign = UInt32(half & 0x8000) << 16
        let exponent = UInt32(half >> 10 & 0x1F)
        let fraction = UInt32(half & 0x3FF)
        switch exponent {
        case 0: return Float(bitPattern: sign | Float(fraction).bitPattern) * 0x1p-24
        case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }

    // MARK: Categories

    private func texts(_ type: ArrowType) throws(MetaLearnersError) -> Column {
        var levels = LevelCodes()
        var codes: [Int32] = []
        codes.reserveCapacity(rows)
        for chunk in chunks {
            let texts = try ArrowTexts(chunk, type, place)
            for row in 0..<chunk.rows { codes.append(try texts(row).map { levels.code(of: $0) } ?? -1) }
        }
        let order = levels.texts.indices.sorted { levels.texts[$0] < levels.texts[$1] }
        var places = [Int32](repeating: 0, count: order.count)
        for (place, code) in order.enumerated() { places[code] = Int32(place) }
        return Column(
            name, codes: StridedValues(codes.map { $0 < 0 ? -1 : places[Int($0)] }),
            levels: order.map { levels.texts[$0] })
    }

    /// A dictionary: codes into levels, where they are if all chunks have one dictionary of different levels.
    private func categories(_ type: ArrowType) throws(MetaLearnersError) -> Column {
        guard case .numbers(let element) = type else {
            throw MetaLearnersError(.internalFault, at: place, "the indices of a dictionary are no integers")
        }
        var levels = LevelCodes()
        var codes: [Int32] = []
        for chunk in chunks {
            guard let dictionary = chunk.array.dictionary else {
                throw MetaLearnersError(.invalidData, at: place, "an array has no dictionary")
            }
            let codeOfIndex = try self.levels(
                UnsafeRawPointer(dictionary).loadUnaligned(as: ArrowArray.self), &levels)
            let indices = try borrowed(chunk, element)
            let isPlain = codeOfIndex.enumerated().allSatisfy { $0 == $1 }
            let numbers = indices.doubles()
            for (row, index) in numbers.enumerated() where chunk.isThere(row) {
                guard index >= 0, index < Double(codeOfIndex.count) else {
                    throw MetaLearnersError(
                        .invalidData, at: place,
                        "row index \(row) of an array is \(Column.label(of: index)) of a dictionary of \(codeOfIndex.count)"
                    )
                }
            }
            if chunks.count == 1, chunk.validity == nil, isPlain {
                return Column(name, codes: indices, levels: levels.texts)
            }
            for (row, index) in numbers.enumerated() {
                codes.append(chunk.isThere(row) ? codeOfIndex[Int(index)] : -1)
            }
        }
        return Column(name, codes: StridedValues(codes), levels: levels.texts)
    }

    /// The code of each value of a dictionary; -1 where it is null.
    private func levels(_ array: ArrowArray, _ levels: inout LevelCodes) throws(MetaLearnersError) -> [Int32]
    {
        guard let described = schema.dictionary else { return [] }
        let schema = UnsafeRawPointer(described).loadUnaligned(as: ArrowSchema.self)
        let type = try ArrowType(schema.format, place)
        guard schema.dictionary == nil else {
            throw MetaLearnersError(.unsupported, at: place, "is a dictionary of dictionaries")
        }
        let chunk = try ArrowChunk(array, type, place)
        var codes: [Int32] = []
        switch type {
        case .text, .largeText, .textView:
            let texts = try ArrowTexts(chunk, type, place)
            for row in 0..<chunk.rows { codes.append(try texts(row).map { levels.code(of: $0) } ?? -1) }
        default:
            let column = try ArrowColumn(name: name, schema: schema, chunks: [chunk], owner: owner).column()
                .asCategorical()
            let texts = column.levels ?? []
            for code in column.codes() ?? [] {
                codes.append(code < 0 ? -1 : levels.code(of: texts[Int(code)]))
            }
        }
        return codes
    }
}

/// Texts and their codes, in the order in which they come.
private struct LevelCodes {
    private(set) var texts: [String] = []
    private var codes: [String: Int32] = [:]

    mutating func code(of text: String) -> Int32 {
        if let known = codes[text] { return known }
        let code = Int32(truncatingIfNeeded: texts.count)
        codes[text] = code
        texts.append(text)
        return code
    }
}
