import CMetaLearners
import MetaLearnersCore

@c @implementation
public func mtlr_arrow_table_create(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ schema: UnsafeMutablePointer<ArrowSchema>?,
    _ array: UnsafeMutablePointer<ArrowArray>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    // Taken over before anything can fail, so that they are released in any case.
    let structures = ArrowStructures()
    structures.take(schema)
    structures.take(array)
    return Boundary.make(out, error) { () throws(MetaLearnersError) in
        guard schema != nil else { throw Boundary.missing("schema") }
        guard array != nil else { throw Boundary.missing("array") }
        guard structures.schema.release != nil else { throw ArrowStructures.released("schema") }
        guard structures.arrays.first?.release != nil else { throw ArrowStructures.released("array") }
        return try ArrowTableObject(structures)
    }
}

@c @implementation
public func mtlr_arrow_table_from_stream(
    _ out: UnsafeMutablePointer<OpaquePointer?>?, _ stream: UnsafeMutablePointer<ArrowArrayStream>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> mtlr_status {
    let taken = stream.map(ArrowStream.init(taking:))
    return Boundary.make(out, error) { () throws(MetaLearnersError) in
        guard let taken else { throw Boundary.missing("stream") }
        return try ArrowTableObject(taken.read())
    }
}

@c @implementation
public func mtlr_arrow_table_rows(_ table: OpaquePointer?) -> Int64 {
    Int64(Handle.object(ArrowTableObject.self, table)?.rowCount ?? 0)
}

@c @implementation
public func mtlr_arrow_table_column_count(_ table: OpaquePointer?) -> Int64 {
    Int64(Handle.object(ArrowTableObject.self, table)?.columns.count ?? 0)
}

@c @implementation
public func mtlr_arrow_table_column_name(_ table: OpaquePointer?, _ column: Int64) -> UnsafePointer<CChar>? {
    Handle.object(ArrowTableObject.self, table)?.columnNames.pointer(at: column)
}

@c @implementation
public func mtlr_arrow_table_free(_ table: OpaquePointer?) { Handle.free(ArrowTableObject.self, table) }
