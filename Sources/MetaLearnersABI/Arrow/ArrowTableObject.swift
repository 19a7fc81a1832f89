import CMetaLearners
import MetaLearnersCore

/// What is behind `mtlr_arrow_table`.
final class ArrowTableObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_6172_726f  // "mtlrarro"
    static let typeName = "mtlr_arrow_table"

    let columns: [Column]
    let rowCount: Int
    let columnNames: [CText]

    /// Reads the columns out of structures that were taken over.
    ///
    /// - Throws: `invalidData` for what cannot be, `unsupported` for types that are no numbers nor categories, `outOfMemory`.
    init(_ structures: ArrowStructures) throws(MetaLearnersError) {
        let schema = structures.schema
        guard let format = schema.format else {
            throw MetaLearnersError(.invalidData, at: "schema", "its format is NULL")
        }
        var columns: [Column] = []
        var rowCount = 0
        if String(cString: format) == "+s" {
            for array in structures.arrays { rowCount += try Self.rowCount(of: array, schema) }
            for index in 0..<(try Self.columnCount(schema)) {
                columns.append(try Self.child(index, of: structures).column())
            }
        } else {
            let name = try Self.name(of: schema, 0)
            let type = try ArrowColumn.type(of: schema, "column '\(name)'")
            let chunks = try structures.arrays.map { array throws(MetaLearnersError) in
                try ArrowChunk(array, type, "column '\(name)'")
            }
            rowCount = chunks.reduce(0) { $0 + $1.rows }
            columns = [
                try ArrowColumn(name: name, schema: schema, chunks: chunks, owner: structures).column()
            ]
        }
        self.columns = try Table(columns, rowCount: rowCount).columns
        self.rowCount = rowCount
        columnNames = try CText.list(columns.map(\.name))
    }

    private static func columnCount(_ schema: ArrowSchema) throws(MetaLearnersError) -> Int {
        guard schema.n_children >= 0, schema.n_children <= Int64(TableView.columnLimit),
            schema.children != nil || schema.n_children == 0
        else {
            throw MetaLearnersError(
                .invalidData, at: "schema",
                "has \(schema.n_children) children\(schema.children == nil ? ", which are NULL" : "")")
        }
        return Int(schema.n_children)
    }

    /// How many rows an array of a structure has.
    private static func rowCount(of array: ArrowArray, _ schema: ArrowSchema) throws(MetaLearnersError) -> Int
    {
        let (rows, offset) = try ArrowChunk.size(of: array, "array")
        guard array.n_children == schema.n_children, array.children != nil || array.n_children == 0 else {
            throw MetaLearnersError(
                .invalidData, at: "array",
                "has \(array.n_children) children, and the schema has \(schema.n_children)")
        }
        guard array.n_buffers == 1, array.null_count >= -1, array.null_count <= array.length else {
            throw MetaLearnersError(
                .invalidData, at: "array",
                "has \(array.n_buffers) buffers and \(array.null_count) nulls, as no structure has")
        }
        if array.null_count != 0, let buffers = array.buffers,
            let bits = StructView.element(UnsafePointer(buffers), 0)?.assumingMemoryBound(to: UInt8.self),
            let row = (0..<rows).first(where: { !ArrowChunk.bit(bits, offset + $0) })
        {
            throw MetaLearnersError(
                .invalidData, at: "array", "row index \(row) is null as a whole",
                remedy: "leave out such rows")
        }
        return rows
    }

    /// A column of a structure.
    private static func child(_ index: Int, of structures: ArrowStructures) throws(MetaLearnersError)
        -> ArrowColumn
    {
        guard let children = structures.schema.children,
            let described = StructView.element(UnsafePointer(children), index)
        else { throw MetaLearnersError(.invalidData, at: "schema", "child \(index) is NULL") }
        let schema = UnsafeRawPointer(described).loadUnaligned(as: ArrowSchema.self)
        let name = try name(of: schema, index)
        let place = "column '\(name)'"
        let type = try ArrowColumn.type(of: schema, place)
        var chunks: [ArrowChunk] = []
        for array in structures.arrays {
            guard let children = array.children,
                let child = StructView.element(UnsafePointer(children), index)
            else { throw MetaLearnersError(.invalidData, at: place, "an array of it is NULL") }
            chunks.append(
                try ArrowChunk(
                    UnsafeRawPointer(child).loadUnaligned(as: ArrowArray.self), type,
                    skipping: Int(array.offset), rows: Int(array.length), place))
        }
        return ArrowColumn(name: name, schema: schema, chunks: chunks, owner: structures)
    }

    private static func name(of schema: ArrowSchema, _ index: Int) throws(MetaLearnersError) -> String {
        guard let name = schema.name else { return "x\(index)" }
        guard let text = String(validatingCString: name) else {
            throw MetaLearnersError(.invalidData, at: "schema", "the name of column \(index) is not UTF-8")
        }
        return text.isEmpty ? "x\(index)" : text
    }
}
