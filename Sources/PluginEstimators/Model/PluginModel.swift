import CMetaLearners
import MetaLearnersCore

/// A model that a plug-in fitted. What it predicts is checked: as many numbers as asked for, all finite, and shares
/// where they are probabilities.
struct PluginModel: FittedEstimator {
    /// What it was trained on and what it predicts.
    struct Shape: Sendable, Equatable {
        let outputCount: Int
        let isClassification: Bool
        /// For each column its levels, or `PluginFeatures.numeric`.
        let levelCounts: [Int32]
    }

    let handle: PluginModelHandle
    /// What the plug-in wrote, when the model was fitted or read.
    let bytes: [UInt8]
    let shape: Shape
    /// The version of the plug-in that fitted it.
    let version: String
    let warnings: [String]

    var backendName: String { handle.plugin.name }
    var outputCount: Int { shape.outputCount }

    init(
        _ handle: PluginModelHandle, bytes: [UInt8], shape: Shape, version: String? = nil, warnings: [String]
    ) {
        self.handle = handle
        self.bytes = bytes
        self.shape = shape
        self.version = version ?? handle.plugin.version
        self.warnings = warnings
    }

    /// The model, with its contributions where the plug-in knows them.
    var explained: any FittedEstimator {
        handle.plugin.functions.explain == nil ? self : ExplainedPluginModel(model: self)
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        try context.checkCancellation()
        let view = try self.view(of: features, rows)
        let count = rows?.count ?? features.rowCount
        let call = PluginCall(context)
        let predictions = try PluginOutput.filled(rows: count, columns: outputCount, handle.plugin) {
            target throws(MetaLearnersError) in
            guard count > 0 else { return }
            try handle.plugin.attempt("predict") { functions, error in
                view.withView { table in
                    Self.borrow(rows) { rows in
                        call.withExecution {
                            functions.predict(
                                functions.payload, handle.pointer, table, rows, Int64(count), target, $0,
                                error)
                        }
                    }
                }
            }
        }
        try context.checkCancellation()
        guard shape.isClassification else { return predictions }
        return try PluginOutput.shares(predictions, classes: outputCount, handle.plugin)
    }

    /// The features as the plug-in sees them.
    ///
    /// - Throws: `invalidArgument` where columns are not those trained on or a row is out of range; `invalidData` for
    ///   missing values that the plug-in cannot handle.
    func view(of features: Table, _ rows: [Int32]?) throws(MetaLearnersError) -> PluginFeatures {
        try requireColumns(shape.levelCounts.count, in: features)
        for (column, count) in zip(features.columns, shape.levelCounts)
        where (column.levels == nil) != (count == PluginFeatures.numeric) {
            throw MetaLearnersError(
                .invalidArgument, at: "column '\(column.name)'",
                count == PluginFeatures.numeric
                    ? "has categories; the model was trained on numbers"
                    : "has numbers; the model was trained on categories")
        }
        if let row = rows?.first(where: { $0 < 0 || $0 >= features.rowCount }) {
            throw MetaLearnersError(
                .invalidArgument, at: "rows", "row \(row) is not within 0..<\(features.rowCount)")
        }
        if !handle.plugin.description.capabilities.contains(.missingValues),
            PluginTaskCheck.hasMissing(features, rows)
        {
            throw MetaLearnersError(
                .invalidData, at: "features",
                "there are missing values, which the plug-in '\(backendName)' cannot do",
                remedy: "fill them in, or choose another backend")
        }
        return PluginFeatures(features, trained: shape.levelCounts)
    }

    /// The address of row numbers for the length of a call, NULL for all rows.
    static func borrow(_ rows: [Int32]?, _ body: (UnsafePointer<Int32>?) -> Int32) -> Int32 {
        guard let rows else { return body(nil) }
        return rows.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}

extension PluginModel {
    private static let formatVersion: UInt8 = 1

    /// Writes which plug-in it is of, a format version, the body with its length, and a hash over the names and the
    /// body, so that a plug-in reads no bytes that were damaged.
    func encode(to writer: inout BinaryWriter) {
        var body = BinaryWriter()
        body.write(UInt32(clamping: shape.outputCount))
        body.write(shape.isClassification)
        body.write(shape.levelCounts)
        body.write(warnings)
        body.write(bytes)
        let stamp = PluginStamp(name: backendName, version: version)
        stamp.encode(to: &writer)
        writer.write(Self.formatVersion)
        writer.write(body.bytes)
        writer.write(Self.hash(stamp, body.bytes[...]))
    }

    /// Reads what `encode` wrote.
    ///
    /// - Throws: `corruptModel`; `incompatibleModel` for a newer format; what the plug-in says of its bytes.
    init(_ plugin: Plugin, from reader: inout BinaryReader) throws(MetaLearnersError) {
        let stamp = try PluginStamp(from: &reader)
        guard stamp.name == plugin.name else {
            throw BinaryReader.corrupt(
                "a model of '\(stamp.name)' stands where one of '\(plugin.name)' should")
        }
        let format = try reader.read(UInt8.self)
        guard format <= Self.formatVersion else {
            throw MetaLearnersError(
                .incompatibleModel,
                "a plug-in's model is of format \(format); this version reads \(Self.formatVersion)",
                remedy: "use a newer version")
        }
        let bytes = try reader.readBytes(reader.readCount(elementSize: 1))
        guard try reader.read(UInt64.self) == Self.hash(stamp, bytes) else {
            throw BinaryReader.corrupt("the checksum of a plug-in's model is wrong")
        }
        var body = BinaryReader(bytes)
        let outputCount = Int(try body.read(UInt32.self))
        let isClassification = try body.readBool()
        let levelCounts = try body.readArray(Int32.self)
        let warnings = try body.readStrings()
        let blob = try body.readBytes(body.readCount(elementSize: 1))
        guard isClassification ? outputCount >= 2 : outputCount == 1,
            levelCounts.allSatisfy({ $0 >= PluginFeatures.numeric }), body.remaining == 0
        else { throw BinaryReader.corrupt("the numbers of a plug-in's model make no sense") }
        self.init(
            try PluginModelHandle(plugin, bytes: blob, version: stamp.version), bytes: Array(blob),
            shape: Shape(
                outputCount: outputCount, isClassification: isClassification, levelCounts: levelCounts),
            version: stamp.version, warnings: warnings)
    }

    /// FNV-1a over 64 bits (Fowler, Noll & Vo), a byte at a time.
    private static func hash(_ stamp: PluginStamp, _ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ bytes: UnsafeRawBufferPointer) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        }
        Array((stamp.name + "\u{0}" + stamp.version).utf8).withUnsafeBytes(add)
        bytes.withUnsafeBytes(add)
        return hash
    }
}

/// The plug-in's model, freed with the last use of it.
final class PluginModelHandle: @unchecked Sendable {  // Models may be used on any thread.
    let plugin: Plugin
    let pointer: OpaquePointer

    init(_ plugin: Plugin, _ pointer: OpaquePointer) {
        self.plugin = plugin
        self.pointer = pointer
    }

    /// Has the plug-in read a model that it wrote.
    ///
    /// - Throws: `corruptModel` where it cannot and does not say otherwise; `internalFault` where it returns none.
    init(_ plugin: Plugin, bytes: ArraySlice<UInt8>, version: String) throws(MetaLearnersError) {
        var pointer: OpaquePointer?
        try plugin.attempt("read the model", at: "model") { functions, error in
            bytes.withUnsafeBytes { bytes in
                version.withCString {
                    functions.deserialise(
                        functions.payload, bytes.baseAddress, bytes.count, $0, &pointer, error)
                }
            }
        }
        guard let pointer else { throw plugin.fault("it read a model, and returned NULL") }
        self.plugin = plugin
        self.pointer = pointer
    }

    deinit { plugin.call { $0.freeModel($0.payload, pointer) } }

    /// The bytes that the plug-in writes.
    func serialised() throws(MetaLearnersError) -> [UInt8] {
        let call = PluginCall(ExecutionContext())
        try plugin.attempt("write the model") { functions, error in
            call.withSink { functions.serialise(functions.payload, pointer, $0, error) }
        }
        return call.bytes
    }
}

extension PluginModel: FormulaProviding {
    /// None: the interface of plug-ins has no function that says what a model computes.
    ///
    /// - Throws: `unsupported`, always.
    func formulas() throws(MetaLearnersError) -> [Formula] {
        throw MetaLearnersError(
            .unsupported, at: "backend '\(backendName)'",
            "is a plug-in, whose models only the plug-in can look into: they have no formula",
            remedy:
                "use ols, ridge, lasso, elastic_net, logistic, trees, forest, xgboost, constant or a stack of these"
        )
    }
}
