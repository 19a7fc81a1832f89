extension StridedValues {
    /// The numbers of several columns of one type, one after another, copied.
    ///
    /// - Throws: `outOfMemory`.
    package static func joined(_ parts: [StridedValues], _ element: Element) throws(MetaLearnersError)
        -> StridedValues
    {
        let count = parts.reduce(0) { $0 + $1.count }
        let memory = try ColumnMemory(count: count * element.size, of: UInt8.self) { target in
            var next = 0
            for part in parts {
                guard let start = part.start, let first = target.baseAddress else { continue }
                for row in 0..<part.count {
                    UnsafeMutableRawPointer(first + next).copyMemory(
                        from: start + row * part.stride, byteCount: element.size)
                    next += element.size
                }
            }
        }
        return try StridedValues(memory, element: element, count: count, stride: element.size)
    }

    /// The same as doubles, NaN where a mask says that there is no value.
    ///
    /// - Parameters:
    ///   - masks: for each part, whether the value of a row is there.
    ///   - place: what errors call the column.
    /// - Throws: `invalidData` for integers beyond 2⁵³, which doubles cannot tell apart; `outOfMemory`.
    package static func joined(_ parts: [StridedValues], masks: [(Int) -> Bool], _ place: String)
        throws(MetaLearnersError) -> StridedValues
    {
        let count = parts.reduce(0) { $0 + $1.count }
        var inexact: Double?
        let memory = try ColumnMemory(count: count, of: Double.self) { target in
            var next = 0
            for (part, isThere) in zip(parts, masks) {
                let numbers = UnsafeMutableBufferPointer(rebasing: target[next..<next + part.count])
                part.copy(0..<part.count, to: numbers)
                for row in 0..<part.count {
                    if !isThere(row) {
                        numbers[row] = .nan
                    } else if !part.element.isFloatingPoint, abs(numbers[row]) >= 0x1p53 {
                        inexact = numbers[row]
                    }
                }
                next += part.count
            }
        }
        if let inexact {
            throw MetaLearnersError(
                .invalidData, at: place,
                "has missing values beside integers of more than 53 bits, such as \(Column.label(of: inexact)), which would not be told apart",
                remedy: "make it a category, or leave out the rows that are missing")
        }
        return try StridedValues(memory, element: .float64, count: count, stride: 8)
    }
}
