/// A number for each row, in as few bytes as hold all of them exactly: an outcome, or what is to be predicted.
package struct RowNumbers: Sendable {
    @usableFromInline enum Storage: Sendable {
        case doubles([Double])
        case floats([Float])
        case codes(RowCodes)
    }

    @usableFromInline let storage: Storage

    /// Numbers as they are; nothing is copied.
    package init(_ numbers: [Double]) { storage = .doubles(numbers) }

    /// Codes as they are; nothing is copied.
    package init(_ codes: RowCodes) { storage = .codes(codes) }

    /// The same numbers in bytes, or in single precision, where these hold every one of them exactly; else in double precision.
    ///
    /// - Complexity: O(rows).
    package init(compacting numbers: [Double]) {
        func isExact(_ number: Double, _ other: Double) -> Bool { number.bitPattern == other.bitPattern }
        func isByte(_ number: Double) -> Bool {
            UInt8(exactly: number).map { isExact(number, Double($0)) } ?? false
        }
        if numbers.allSatisfy(isByte) {
            storage = .codes(RowCodes(numbers.map { UInt8($0) }))
        } else if numbers.allSatisfy({ isExact($0, Double(Float($0))) }) {
            storage = .floats(numbers.map { Float($0) })
        } else {
            storage = .doubles(numbers)
        }
    }

    /// How many rows there are.
    @inlinable package var count: Int {
        switch storage {
        case .doubles(let numbers): numbers.count
        case .floats(let numbers): numbers.count
        case .codes(let codes): codes.count
        }
    }

    /// The number of `row`, which must be one of the rows.
    @inlinable package subscript(row: Int) -> Double {
        switch storage {
        case .doubles(let numbers): numbers[row]
        case .floats(let numbers): Double(numbers[row])
        case .codes(let codes): Double(codes[row])
        }
    }

    /// All of them in double precision: at once where they are that already, else a copy.
    @inlinable package var doubles: [Double] {
        switch storage {
        case .doubles(let numbers): numbers
        case .floats(let numbers): numbers.map { Double($0) }
        case .codes(let codes): codes.map { Double($0) }
        }
    }

    /// Copies the numbers of `rows`, one after another; `target` has room for them.
    package func copy(_ rows: Range<Int>, to target: UnsafeMutablePointer<Double>) {
        switch storage {
        case .doubles(let numbers):
            for row in rows { target[row - rows.lowerBound] = numbers[row] }
        case .floats(let numbers):
            for row in rows { target[row - rows.lowerBound] = Double(numbers[row]) }
        case .codes(let codes):
            for row in rows { target[row - rows.lowerBound] = Double(codes[row]) }
        }
    }
}

extension RowNumbers: Equatable {
    package static func == (left: RowNumbers, right: RowNumbers) -> Bool {
        if case .doubles(let left) = left.storage, case .doubles(let right) = right.storage {
            return left == right
        }
        return left.count == right.count && (0..<left.count).allSatisfy { left[$0] == right[$0] }
    }
}
