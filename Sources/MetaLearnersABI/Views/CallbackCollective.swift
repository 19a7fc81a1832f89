import CMetaLearners
import MetaLearnersCore

/// The caller's functions that join processes.
final class CallbackCollective: Collective, @unchecked Sendable {
    // The header says that the functions are called by one thread at a time, whichever that is.
    let rank: Int
    let size: Int
    private let table: mtlr_collective

    /// Takes over the functions of a structure.
    ///
    /// - Throws: `invalidArgument` for a size, a rank or a function that is missing.
    init(_ pointer: UnsafePointer<mtlr_collective>) throws(MetaLearnersError) {
        let place = "execution.collective"
        table = try StructView.readGrowable(pointer, place)
        guard table.size > 0, (0..<table.size).contains(table.rank) else {
            throw MetaLearnersError(
                .invalidArgument, at: place, "has rank \(table.rank) of \(table.size)",
                remedy: "ranks count from 0")
        }
        rank = Int(table.rank)
        size = Int(table.size)
        let missing: [(name: String, isMissing: Bool)] = [
            ("sum_int64", table.sum_int64 == nil), ("sum_double", table.sum_double == nil),
            ("max_int64", table.max_int64 == nil), ("broadcast", table.broadcast == nil),
            ("gather", table.gather == nil),
        ]
        if let name = missing.first(where: \.isMissing)?.name { throw Boundary.missing("\(place).\(name)") }
    }

    func sum(_ values: UnsafeMutableBufferPointer<Int64>) throws(MetaLearnersError) {
        try require(table.sum_int64?(table.payload, values.baseAddress, Int64(values.count)), "sum_int64")
    }

    func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(MetaLearnersError) {
        try require(table.sum_double?(table.payload, values.baseAddress, Int64(values.count)), "sum_double")
    }

    func maximum(_ values: UnsafeMutableBufferPointer<Int64>) throws(MetaLearnersError) {
        try require(table.max_int64?(table.payload, values.baseAddress, Int64(values.count)), "max_int64")
    }

    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MetaLearnersError) {
        try require(
            table.broadcast?(table.payload, bytes.baseAddress, Int64(bytes.count), Int32(root)), "broadcast")
    }

    func gather(
        _ bytes: UnsafeRawBufferPointer, sizes: [Int], into all: UnsafeMutableRawBufferPointer
    ) throws(MetaLearnersError) {
        let lengths = sizes.map { Int64($0) }
        let status = lengths.withUnsafeBufferPointer { lengths in
            table.gather?(
                table.payload, bytes.baseAddress, Int64(bytes.count), all.baseAddress, lengths.baseAddress)
        }
        try require(status, "gather")
    }

    func leave() { table.leave?(table.payload) }

    private func require(_ status: Int32?, _ name: String) throws(MetaLearnersError) {
        guard let status, status != 0 else { return }
        throw MetaLearnersError(.inputOutput, "\(name) returned \(status)")
    }
}
