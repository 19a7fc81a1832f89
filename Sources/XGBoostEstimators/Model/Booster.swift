import MetaLearnersCore

/// Trees in XGBoost's own form: the owner of a `BoosterHandle`.
///
/// While it is trained it belongs to one thread; loaded from bytes, it only predicts, and XGBoost allows that from
/// several threads at once.
final class Booster: @unchecked Sendable {  // See above.
    private let handle: XGBoostHandle
    private let library: XGBoostLibrary

    private init(owning handle: XGBoostHandle, _ library: XGBoostLibrary) {
        self.handle = handle
        self.library = library
    }

    deinit { _ = library.functions.freeBooster(handle) }

    private static var noHandle: MetaLearnersError {
        MetaLearnersError(.internalFault, at: "backend 'xgboost'", "XGBoost gave no booster")
    }

    /// Creates a booster to be trained on `matrix`.
    ///
    /// - Throws: `invalidSpec` for a parameter that XGBoost refuses.
    convenience init(
        _ library: XGBoostLibrary, matrix: TrainingMatrix, parameters: [(name: String, value: String)]
    ) throws(MetaLearnersError) {
        var handle: XGBoostHandle?
        let status = withUnsafePointer(to: Optional(matrix.handle)) {
            library.functions.createBooster($0, 1, &handle)
        }
        try library.check(status, "create a booster")
        guard let handle else { throw Self.noHandle }
        self.init(owning: handle, library)
        for (name, value) in parameters {
            try library.check(
                library.functions.setParameter(handle, name, value), "set '\(name)' to '\(value)'",
                kind: .invalidSpec)
        }
    }

    /// Loads trees that `saved` wrote; they predict on the calling thread alone.
    ///
    /// - Throws: `corruptModel` for bytes that XGBoost refuses.
    convenience init(_ library: XGBoostLibrary, saved: [UInt8]) throws(MetaLearnersError) {
        var handle: XGBoostHandle?
        try library.check(library.functions.createBooster(nil, 0, &handle), "create a booster")
        guard let handle else { throw Self.noHandle }
        self.init(owning: handle, library)
        let status = saved.withUnsafeBytes { bytes in
            bytes.baseAddress.map { library.functions.load(handle, $0, UInt64(bytes.count)) } ?? 0
        }
        try library.check(status, "read its trees", kind: .corruptModel)
        try library.check(library.functions.setParameter(handle, "nthread", "1"), "set 'nthread'")
    }

    /// How many columns the trees were grown on.
    func featureCount() throws(MetaLearnersError) -> Int {
        var count: UInt64 = 0
        try library.check(library.functions.featureCount(handle, &count), "count its features")
        return Int(clamping: count)
    }

    /// The margins of the rows trained on: `count` floats, valid until the next call; nil where there are no rows.
    ///
    /// - Throws: `numericalFailure` where XGBoost fails; `invalidSpec` for parameters that it refuses only now.
    func trainingMargins(_ matrix: TrainingMatrix, count: Int) throws(MetaLearnersError)
        -> UnsafePointer<Float>?
    {
        var shape: UnsafePointer<UInt64>?
        var dimensions: UInt64 = 0
        var floats: UnsafePointer<Float>?
        let status = library.functions.predictMatrix(
            handle, matrix.handle,
            "{\"type\":1,\"training\":true,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false}",
            &shape, &dimensions, &floats)
        try library.check(status, "predict the rows trained on", kind: .invalidSpec)
        guard count > 0 else { return nil }
        guard let floats, Self.product(shape, dimensions) == count else { throw Self.wrongShape }
        return floats
    }

    /// Adds the trees of one round.
    ///
    /// - Parameters:
    ///   - gradients, hessians: for each row of the matrix one number per output.
    ///   - outputs: numbers per row.
    /// - Throws: `numericalFailure` where XGBoost fails.
    func boost(
        _ matrix: TrainingMatrix, round: Int, gradients: AlignedBuffer<Float>,
        hessians: AlignedBuffer<Float>, outputs: Int
    ) throws(MetaLearnersError) {
        let status: Int32
        if let train = library.functions.trainRound {
            let gradient = ArrayInterface(
                rowMajor: gradients.start, rows: matrix.rowCount, columns: outputs)
            let hessian = ArrayInterface(rowMajor: hessians.start, rows: matrix.rowCount, columns: outputs)
            status = train(handle, matrix.handle, Int32(clamping: round), gradient.json, hessian.json)
        } else if let boost = library.functions.boostRound {
            status = boost(
                handle, matrix.handle, gradients.start, hessians.start, UInt64(gradients.count))
        } else {
            status = -1
        }
        withExtendedLifetime((gradients, hessians)) {}
        try library.check(status, "grow a tree")
    }

    /// The first `rounds` rounds alone.
    ///
    /// - Throws: `numericalFailure` where XGBoost fails.
    func first(_ rounds: Int) throws(MetaLearnersError) -> Booster {
        var handle: XGBoostHandle?
        try library.check(
            library.functions.slice(self.handle, 0, Int32(clamping: rounds), 1, &handle), "drop trees")
        guard let handle else { throw Self.noHandle }
        return Booster(owning: handle, library)
    }

    /// The trees as UBJSON.
    ///
    /// - Throws: `numericalFailure` where XGBoost fails.
    func saved() throws(MetaLearnersError) -> [UInt8] {
        var length: UInt64 = 0
        var bytes: UnsafePointer<CChar>?
        try library.check(
            library.functions.save(handle, "{\"format\":\"ubj\"}", &length, &bytes), "save its trees")
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(clamping: length)))
    }

    /// The margins of the rows that `features` describes, given to `use` as floats.
    ///
    /// - Throws: `numericalFailure` where XGBoost fails.
    func margins(_ features: ArrayInterface, count: Int, _ use: (UnsafePointer<Float>) -> Void)
        throws(MetaLearnersError)
    {
        var shape: UnsafePointer<UInt64>?
        var dimensions: UInt64 = 0
        var floats: UnsafePointer<Float>?
        let status = library.functions.predictDense(
            handle, features.json,
            "{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,"
                + "\"missing\":NaN,\"cache_id\":0}", nil,
            &shape, &dimensions, &floats)
        try library.check(status, "predict")
        guard let floats, Self.product(shape, dimensions) == count else { throw Self.wrongShape }
        use(floats)
    }

    /// What each column contributes to the margins of rows (XGBoost's `pred_contribs`), given to `use` as floats: row by
    /// row and output by output a number for each column, then the expected margin.
    ///
    /// - Parameters:
    ///   - features: rows × columns, described.
    ///   - types: which columns are categories; nil for none.
    ///   - count: how many numbers there must be.
    /// - Throws: `numericalFailure` where XGBoost fails.
    func contributions(
        _ features: ArrayInterface, types: FeatureTypes?, count: Int, _ use: (UnsafePointer<Float>) -> Void
    ) throws(MetaLearnersError) {
        var matrix: XGBoostHandle?
        try library.check(
            library.functions.matrixFromDense(features.json, "{\"missing\":NaN,\"nthread\":1}", &matrix),
            "take the features")
        guard let matrix else { throw Self.noHandle }
        defer { _ = library.functions.freeMatrix(matrix) }
        try types?.set(on: matrix, library)
        var shape: UnsafePointer<UInt64>?
        var dimensions: UInt64 = 0
        var floats: UnsafePointer<Float>?
        let status = library.functions.predictMatrix(
            handle, matrix,
            "{\"type\":2,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":true}",
            &shape, &dimensions, &floats)
        try library.check(status, "explain its predictions")
        guard let floats, Self.product(shape, dimensions) == count else { throw Self.wrongShape }
        use(floats)
    }

    /// The trees as JSON, with what their splits gained and the Hessians of their rows.
    ///
    /// - Parameter types: which columns are categories; nil for none. The booster is told, so it must be nobody else's.
    /// - Throws: `unsupported` where XGBoost cannot write them, as for models that are no trees.
    func dumped(types: FeatureTypes?) throws(MetaLearnersError) -> [String] {
        try types?.set(onBooster: handle, library)
        var count: UInt64 = 0
        var texts: UnsafeMutablePointer<UnsafePointer<CChar>?>?
        try library.check(
            library.functions.dump(handle, "", 1, "json", &count, &texts), "write its trees",
            kind: .unsupported)
        return (0..<Int(clamping: count)).compactMap { index in texts?[index].map { String(cString: $0) } }
    }

    private static func product(_ shape: UnsafePointer<UInt64>?, _ dimensions: UInt64) -> Int? {
        guard let shape, dimensions <= 4 else { return nil }
        var product: UInt64 = 1
        for index in 0..<Int(dimensions) {
            let (next, overflow) = product.multipliedReportingOverflow(by: shape[index])
            guard !overflow else { return nil }
            product = next
        }
        return Int(exactly: product)
    }

    private static var wrongShape: MetaLearnersError {
        MetaLearnersError(
            .internalFault, at: "backend 'xgboost'",
            "XGBoost's predictions are of another shape than asked for")
    }
}
