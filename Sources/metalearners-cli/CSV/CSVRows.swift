import CausalAnalysis
import MetaLearnersCore
import Reporting

/// Writes rows of any kind as a CSV file: many are made into text at a time, and written in their order.
struct CSVRows {
    private static let blockSize = 8192

    /// Writes a header and the rows to `path` (standard output for `-`), in full or not at all.
    ///
    /// - Parameters:
    ///   - names: the names of the columns.
    ///   - count: how many rows.
    ///   - scheduler: the threads, and what cancels the work.
    ///   - row: appends the fields of a row, with separators and without the line end.
    /// - Throws: `inputOutput`, `cancelled`.
    static func write(
        _ names: [String], count: Int, to path: String, _ scheduler: Scheduler,
        row: @escaping @Sendable (Int, inout [UInt8]) -> Void
    ) throws(MetaLearnersError) {
        let file = try OutputFile(path)
        try file.append((names.map(ResultCSV.quoted).joined(separator: ",") + "\n").utf8)
        let wave = blockSize * scheduler.threads * 4
        for start in stride(from: 0, to: count, by: wave) {
            let end = min(start + wave, count)
            let blocks = (end - start + blockSize - 1) / blockSize
            let texts = ResultSlots<[UInt8]>(count: blocks)
            try scheduler.run("write", count: blocks) { block, _ throws(MetaLearnersError) in
                var text: [UInt8] = []
                text.reserveCapacity(blockSize * 32)
                let first = start + block * blockSize
                for index in first..<min(first + blockSize, end) {
                    row(index, &text)
                    text.append(UInt8(ascii: "\n"))
                }
                texts[block] = text
            }
            for block in 0..<blocks { try file.append(texts[block] ?? []) }
        }
        try file.commit()
    }

    /// Appends a number with the fewest digits that read back as the same; nothing for NaN.
    static func append(_ number: Double, to text: inout [UInt8]) {
        if let integer = Int64(exactly: number), abs(number) < 1e15 {
            append(integer, to: &text)
        } else {
            text.append(contentsOf: NumberText.shortest(number).utf8)
        }
    }

    /// Appends a whole number.
    static func append(_ number: Int64, to text: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var (rest, length) = (number.magnitude, 0)
            repeat {
                digits[length] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
                length += 1
            } while rest > 0
            if number < 0 { text.append(UInt8(ascii: "-")) }
            for index in (0..<length).reversed() { text.append(digits[index]) }
        }
    }

    /// Writes a whole table, categories by their labels.
    ///
    /// - Throws: as `write`.
    static func write(_ table: Table, to path: String, _ scheduler: Scheduler) throws(MetaLearnersError) {
        let columns = table.columns.map { column in
            (column.values.doubles(), column.levels?.map { Array(ResultCSV.quoted($0).utf8) })
        }
        try write(table.columns.map(\.name), count: table.rowCount, to: path, scheduler) { row, text in
            for (index, (values, levels)) in columns.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                if let levels {
                    let code = Int(values[row])
                    if levels.indices.contains(code) { text.append(contentsOf: levels[code]) }
                } else {
                    append(values[row], to: &text)
                }
            }
        }
    }
}
