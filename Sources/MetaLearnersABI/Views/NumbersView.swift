import CMetaLearners
import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Numbers in the caller's memory, a fixed number of bytes apart.
struct NumbersView {
    let data: UnsafeRawPointer?
    let dtype: mtlr_dtype
    let rows: Int
    /// Bytes from one row to the next; 0 for numbers side by side.
    let stride: Int64

    /// The numbers, borrowed or copied.
    ///
    /// - Throws: `invalidArgument` for an unknown type, a NULL, or rows that no memory could hold; `outOfMemory`.
    func values(copying: Bool, _ place: String) throws(MetaLearnersError) -> StridedValues {
        let element = try element(place)
        guard rows > 0 else {
            return try StridedValues(
                ColumnMemory(copying: [UInt8]()), element: element, count: 0, stride: element.size)
        }
        guard let data else { throw MetaLearnersError(.invalidArgument, at: place, "data is NULL") }
        let step = stride == 0 ? element.size : Int(stride)
        let (low, count) = try extent(data, step, element, place)
        let borrowed = try StridedValues(
            ColumnMemory(borrowing: UnsafeRawBufferPointer(start: data + low, count: count)),
            element: element,
            count: rows, offset: -low, stride: step)
        return copying ? try copy(borrowed, place) : borrowed
    }

    /// The type of the numbers.
    func element(_ place: String) throws(MetaLearnersError) -> StridedValues.Element {
        if let element = StridedValues.Element(rawValue: dtype) { return element }
        throw MetaLearnersError(
            .invalidArgument, at: place, "dtype \(dtype) is none",
            remedy: "use MTLR_FLOAT64 (1) to MTLR_UINT64 (10)")
    }

    /// Where the memory starts, in bytes from the first row, and how many bytes it has.
    private func extent(
        _ data: UnsafeRawPointer, _ step: Int, _ element: StridedValues.Element, _ place: String
    )
        throws(MetaLearnersError) -> (low: Int, count: Int)
    {
        let (span, spanOverflows) = step.multipliedReportingOverflow(by: rows - 1)
        let (count, countOverflows) = Int(clamping: span.magnitude).addingReportingOverflow(element.size)
        let low = min(span, 0)
        let address = UInt(bitPattern: data)
        let (end, endOverflows) = address.addingReportingOverflow(UInt(max(span, 0)) + UInt(element.size))
        guard !spanOverflows, !countOverflows, !endOverflows, end <= AddressSpace.end,
            low.magnitude < address,
            AddressSpace.holds(step)
        else {
            throw MetaLearnersError(
                .invalidArgument, at: place,
                "\(rows) rows, \(step) bytes apart, are more than memory can hold",
                remedy: "strides are in bytes")
        }
        return (low, count)
    }

    private func copy(_ source: StridedValues, _ place: String) throws(MetaLearnersError) -> StridedValues {
        let size = source.element.size
        let (bytes, overflow) = rows.multipliedReportingOverflow(by: size)
        guard !overflow, let start = source.start, let target = malloc(bytes) else {
            throw Boundary.outOfMemory("a copy of \(place)")
        }
        if source.isContiguous {
            target.copyMemory(from: start, byteCount: bytes)
        } else {
            switch size {
            case 8: Self.gather(start, source.stride, rows, target, as: UInt64.self)
            case 4: Self.gather(start, source.stride, rows, target, as: UInt32.self)
            case 2: Self.gather(start, source.stride, rows, target, as: UInt16.self)
            default: Self.gather(start, source.stride, rows, target, as: UInt8.self)
            }
        }
        let address = UInt(bitPattern: target)
        let memory = ColumnMemory(borrowing: UnsafeRawBufferPointer(start: target, count: bytes)) {
            free(UnsafeMutableRawPointer(bitPattern: address))
        }
        return try StridedValues(memory, element: source.element, count: rows, stride: size)
    }

    private static func gather<Word: BitwiseCopyable>(
        _ start: UnsafeRawPointer, _ stride: Int, _ rows: Int, _ target: UnsafeMutableRawPointer,
        as _: Word.Type
    ) {
        var source = start
        for row in 0..<rows {
            target.storeBytes(
                of: source.loadUnaligned(as: Word.self), toByteOffset: row * MemoryLayout<Word>.size,
                as: Word.self)
            source += row + 1 < rows ? stride : 0
        }
    }
}
