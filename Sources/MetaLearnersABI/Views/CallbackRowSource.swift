import CMetaLearners
import MetaLearnersCore

/// The caller's functions that read rows batch by batch.
final class CallbackRowSource: RowSource {
    private let functions: mtlr_row_source

    /// How many bins a column of numbers has at most.
    let maxBins: Int

    /// Takes over the functions of a structure.
    ///
    /// - Throws: `invalidArgument` for a size that cannot be, or a function that is missing.
    init(_ pointer: UnsafePointer<mtlr_row_source>?) throws(MetaLearnersError) {
        functions = try StructView.readGrowable(pointer, "source")
        if functions.restart == nil { throw Boundary.missing("source.restart") }
        if functions.next == nil { throw Boundary.missing("source.next") }
        guard functions.reserved == 0 else {
            throw MetaLearnersError(
                .invalidArgument, at: "source.reserved", "is \(functions.reserved), must be 0")
        }
        maxBins = functions.max_bins == 0 ? 255 : Int(functions.max_bins)
    }

    func restart() throws(MetaLearnersError) {
        let status = functions.restart?(functions.payload) ?? 0
        guard status == 0 else { throw failure("restart", status) }
    }

    func next() throws(MetaLearnersError) -> Table? {
        var batch = mtlr_table()
        batch.struct_size = MemoryLayout<mtlr_table>.size
        let status = functions.next?(functions.payload, &batch) ?? 0
        switch status {
        case 0: return nil
        // Nothing of a batch is used once the next one is asked for.
        case 1: return try TableView.read(&batch, for: .training(copying: false))
        default: throw failure("next", status)
        }
    }

    private func failure(_ function: String, _ status: Int32) -> MetaLearnersError {
        let text = functions.last_error?(functions.payload).flatMap { String(validatingCString: $0) }
        return MetaLearnersError(
            .inputOutput, at: "source", text ?? "\(function) returned \(status)")
    }
}
