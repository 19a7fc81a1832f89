import MetaLearnersCore

/// Trees of XGBoost, fitted.
struct XGBoostModel: FittedEstimator {
    /// What the scores mean.
    enum Link: UInt8, Sendable {
        /// The score is the prediction.
        case identity
        /// The score is the log odds of class 1; predictions are the probabilities of 0 and 1.
        case logistic
        /// The scores are log probabilities of the classes, but for a constant.
        case softmax

        /// The margin that XGBoost starts from with its base score of ½.
        var baseMargin: Double { self == .logistic ? 0 : 0.5 }
    }

    /// What turns margins into predictions, and rows into features.
    struct Shape: Sendable, Equatable {
        let link: Link
        /// What is added to the trees' sum, one number per score.
        let offsets: [Double]
        /// What the trees' sum is divided by.
        let scale: Double
        /// For each column the levels trained on, 0 for numbers.
        let levels: [Int32]
    }

    let shape: Shape
    let warnings: [String]
    /// The version that the trees were grown with.
    let version: String
    /// The trees as UBJSON, nil where there are none.
    let trees: [UInt8]?
    /// Margins of `probe`, by which a library that reads the trees otherwise is found out.
    let probeMargins: [Float]
    let booster: Booster?

    var backendName: String { XGBoostEstimator.backend.name }
    var outputCount: Int { shape.link == .logistic ? 2 : shape.offsets.count }

    /// Loads trees that were just grown.
    ///
    /// - Throws: `numericalFailure` where XGBoost does not read what it wrote.
    init(library: XGBoostLibrary, trees: [UInt8]?, shape: Shape, warnings: [String])
        throws(MetaLearnersError)
    {
        self.shape = shape
        self.warnings = warnings
        self.trees = trees
        version = library.version.description
        guard let trees else {
            booster = nil
            probeMargins = []
            return
        }
        let booster = try Booster(library, saved: trees)
        probeMargins = try Self.probe(booster, shape)
        self.booster = booster
    }

    /// Takes what `encode` wrote, with its trees loaded.
    init(
        shape: Shape, warnings: [String], version: String, trees: [UInt8]?, probeMargins: [Float],
        booster: Booster?
    ) {
        self.shape = shape
        self.warnings = warnings
        self.version = version
        self.trees = trees
        self.probeMargins = probeMargins
        self.booster = booster
    }

    /// The margins of a row in which everything is missing and of one in which everything is 0.
    static func probe(_ booster: Booster, _ shape: Shape) throws(MetaLearnersError) -> [Float] {
        let width = shape.levels.count
        let features = try AlignedBuffer<Float>(zeroed: 2 * width)
        for column in 0..<width { features.start[column] = .nan }
        var margins: [Float] = []
        let count = 2 * shape.offsets.count
        try booster.margins(
            ArrayInterface(rowMajor: features.start, rows: 2, columns: width), count: count
        ) {
            margins = Array(UnsafeBufferPointer(start: $0, count: count))
        }
        withExtendedLifetime(features) {}
        return margins
    }

    func predict(_ features: Table, rows: [Int32]?, _ context: ExecutionContext) throws(MetaLearnersError)
        -> [Double]
    {
        try filled(features, rows, width: outputCount, context) { range, target throws(MetaLearnersError) in
            try predict(features, rows, range, to: target)
        }
    }

    private func predict(
        _ features: Table, _ rows: [Int32]?, _ range: Range<Int>, to target: UnsafeMutablePointer<Double>
    ) throws(MetaLearnersError) {
        let scores = range.count * shape.offsets.count
        guard let booster else {
            for row in 0..<range.count { link(shape.offsets, to: target + row * outputCount) }
            return
        }
        let use = { (margins: UnsafePointer<Float>) in
            for row in 0..<range.count {
                link(margins + row * shape.offsets.count, to: target + row * outputCount)
            }
        }
        if rows == nil, shape.levels.allSatisfy({ $0 == 0 }),
            let interface = ArrayInterface(features, rows: range)
        {
            return try booster.margins(interface, count: scores, use)
        }
        let buffer = try AlignedBuffer<Float>(uninitialized: range.count * shape.levels.count)
        FeatureGatherer(features, levels: shape.levels.map { Int($0) })
            .copy(RowSelection(rows, range), to: buffer.start)
        try booster.margins(
            ArrayInterface(columnMajor: buffer.start, rows: range.count, columns: shape.levels.count),
            count: scores, use)
        withExtendedLifetime(buffer) {}
    }

    /// Turns the margins of a row into its predictions.
    private func link(_ margins: UnsafePointer<Float>, to target: UnsafeMutablePointer<Double>) {
        switch shape.link {
        case .identity:
            target[0] = shape.offsets[0] + (Double(margins[0]) - 0.5) / shape.scale
        case .logistic:
            Self.logistic(shape.offsets[0] + Double(margins[0]), to: target)
        case .softmax:
            for output in shape.offsets.indices {
                target[output] = shape.offsets[output] + (Double(margins[output]) - 0.5)
            }
            Softmax.replace(target, count: shape.offsets.count)
        }
    }

    /// Turns the scores of a model without trees into predictions.
    private func link(_ scores: [Double], to target: UnsafeMutablePointer<Double>) {
        switch shape.link {
        case .identity: target[0] = scores[0]
        case .logistic: Self.logistic(scores[0], to: target)
        case .softmax:
            for output in scores.indices { target[output] = scores[output] }
            Softmax.replace(target, count: scores.count)
        }
    }

    private static func logistic(_ score: Double, to target: UnsafeMutablePointer<Double>) {
        target[0] = Logistic.share(-score)
        target[1] = Logistic.share(score)
    }
}

extension XGBoostModel {
    /// Numbers of rows, written by `body` a block of rows at a time, side by side.
    ///
    /// - Parameters:
    ///   - width: numbers per row.
    ///   - body: gets the positions of a block's rows and where their first number goes.
    /// - Throws: `invalidArgument` for another number of columns or a row out of range; `cancelled`; `outOfMemory`; what
    ///   `body` throws, of the first block that fails.
    func filled(
        _ features: Table, _ rows: [Int32]?, width: Int, _ context: ExecutionContext,
        _ body: @Sendable (Range<Int>, UnsafeMutablePointer<Double>) throws(MetaLearnersError) -> Void
    ) throws(MetaLearnersError) -> [Double] {
        try requireColumns(shape.levels.count, in: features)
        if let rows, let row = rows.first(where: { $0 < 0 || $0 >= features.rowCount }) {
            throw MetaLearnersError(
                .invalidArgument, at: "rows", "row \(row) is not within 0..<\(features.rowCount)")
        }
        let count = rows?.count ?? features.rowCount
        let (cells, overflow) = count.multipliedReportingOverflow(by: width)
        guard !overflow, cells <= Int.max / 16 else {
            throw MetaLearnersError(.outOfMemory, "there are too many predictions")
        }
        // Small enough that XGBoost's buffers stay small and threads share the work evenly.
        let block = 8192
        let blocks = (count + block - 1) / block
        let failure = Lock<(index: Int, error: MetaLearnersError)?>(nil)
        let numbers = [Double](unsafeUninitializedCapacity: cells) { buffer, initialized in
            if let start = buffer.baseAddress {
                start.initialize(repeating: 0, count: cells)
                let target = Target(start: start)
                context.concurrently(blocks) { index in
                    let range = index * block..<min((index + 1) * block, count)
                    do throws(MetaLearnersError) {
                        try context.checkCancellation()
                        try body(range, target.start + range.lowerBound * width)
                    } catch {
                        failure.withLock { if index < $0?.index ?? .max { $0 = (index, error) } }
                    }
                }
            }
            initialized = cells
        }
        if let failed = failure.withLock({ $0 }) { throw failed.error }
        return numbers
    }

    /// Where numbers go; each block writes its own range.
    private struct Target: @unchecked Sendable {
        let start: UnsafeMutablePointer<Double>
    }
}
