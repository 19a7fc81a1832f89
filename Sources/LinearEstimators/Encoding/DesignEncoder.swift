import MetaLearnersCore

/// Turns features into the columns of a design matrix: standardised numbers, and indicators of levels and of missing
/// values. Fitted to the training rows, and kept by the model.
///
/// All moments are weighted, with the sum of the weights as the denominator: doubling a weight is the same as
/// doubling a row.
struct DesignEncoder: Sendable, Equatable {
    /// The most columns that a design matrix may have.
    static let widthLimit = 20_000
    /// The same where sparse columns are among them and only what is stored is used.
    static let sparseWidthLimit = 1 << 20

    /// What becomes of a feature.
    enum Source: Sendable, Equatable {
        case numeric(NumericEncoding)
        case categorical(CategoricalEncoding)

        /// How many columns of the design matrix it is.
        var width: Int {
            switch self {
            case .numeric(let encoding): encoding.width
            case .categorical(let encoding): encoding.width
            }
        }

        /// Writes the columns for `values`, `stride` apart.
        func fill(
            _ values: UnsafeBufferPointer<Double>, to target: UnsafeMutablePointer<Double>, stride: Int
        ) {
            switch self {
            case .numeric(let encoding): encoding.fill(values, to: target, stride: stride)
            case .categorical(let encoding): encoding.fill(values, to: target, stride: stride)
            }
        }

        /// Whether one of the linear columns is an indicator that is not standardised.
        func isPlain(_ column: Int) -> Bool {
            switch self {
            case .numeric(let encoding): encoding.isPlain && column == (encoding.spread > 0 ? 1 : 0)
            case .categorical(let encoding): encoding.isPlain
            }
        }

        /// How many of these are no columns of a curve; they come first.
        var linearWidth: Int {
            switch self {
            case .numeric(let encoding): encoding.linearWidth
            case .categorical(let encoding): encoding.width
            }
        }
    }

    /// What becomes of each feature.
    let sources: [Source]
    /// The scores of levels, a column each, which stand behind those.
    let scores: [LevelScores]
    /// The products of all linear columns, which stand behind all others; nil where nobody asked for them.
    let interactions: Interactions?
    /// How many columns the design matrix has.
    let width: Int

    /// Learns the encoding of `features` at `rows`.
    ///
    /// - Parameters:
    ///   - rows: rows that count, within the features.
    ///   - weights: one for each of the rows, positive and finite.
    ///   - againstReference: whether each category leaves its heaviest level out and indicators are standardised, as an
    ///     unpenalised fit needs it. A penalised one keeps all levels, so that none is special, and indicators as they
    ///     are, so that the penalty on a rare level is no lighter.
    ///   - expansion: whether numbers get curves, and columns products.
    ///   - levelLimit: the most levels of a category that have an indicator each; the others share one.
    ///   - scores: scores of levels that become columns as well.
    /// - Throws: `unsupported` for more than `widthLimit` columns, `invalidData` for an infinite value,
    ///   `numericalFailure` where moments overflow.
    /// - Complexity: O(rows × features), with splines times the logarithm of the rows, with products O(rows × columns²);
    ///   a column at a time is copied.
    init(
        _ features: Table, rows: [Int32], weights: [Double], againstReference: Bool,
        expansion: FeatureExpansion = .none, levelLimit: Int = .max,
        scores: LevelScores.Fitted = LevelScores.Fitted(), _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let distribution = features.distribution
        let totalWeight = try distribution.sum([weights.reduce(0, +)])[0]
        guard totalWeight.isFinite, totalWeight > 0 else {
            throw MetaLearnersError(
                .numericalFailure, at: "weight", "the weights add up to \(totalWeight)",
                remedy: "rescale the weights")
        }
        var sources: [Source] = []
        let usesSparse = SparseRows.serve(features, expansion)
        guard distribution == nil || !features.columns.contains(where: { $0.values.sparse != nil }) else {
            throw MetaLearnersError(
                .unsupported, at: "features",
                "sparse columns take no part in a collective fit of linear models yet",
                remedy: "give dense columns, or use trees")
        }
        var weightOfRow = [Double](repeating: 0, count: usesSparse ? features.rowCount : 0)
        if usesSparse { for (row, weight) in zip(rows, weights) { weightOfRow[Int(row)] = weight } }
        let knotRows = expansion == .none ? nil : try KnotRows(weights, distribution)
        for column in features.columns {
            try context.checkCancellation()
            switch column.kind {
            case .numeric:
                if usesSparse, let entries = column.values.sparse {
                    sources.append(
                        .numeric(
                            try NumericEncoding(
                                entries, name: column.name, weightOfRow: weightOfRow, count: rows.count,
                                totalWeight: totalWeight)))
                    continue
                }
                sources.append(
                    .numeric(
                        try NumericEncoding(
                            column, rows: rows, weights: weights, totalWeight: totalWeight,
                            knotRows: knotRows, standardisesIndicator: againstReference, distribution)
                    ))
            case .categorical:
                sources.append(
                    .categorical(
                        try CategoricalEncoding(
                            column, rows: rows, weights: weights, totalWeight: totalWeight,
                            againstReference: againstReference, levelLimit: levelLimit, distribution)))
            }
        }
        try Self.requireWidth(
            sources.reduce(0) { $0 + $1.width }, limit: usesSparse ? Self.sparseWidthLimit : Self.widthLimit,
            sources, features)
        guard expansion == .splinesInteractions else {
            self.init(sources, scores.scores, nil)
            return
        }
        let linear = sources.reduce(scores.scores.count) { $0 + $1.linearWidth }
        guard sources.reduce(0, { $0 + $1.width }) + linear * (linear - 1) / 2 <= Self.widthLimit else {
            throw MetaLearnersError(
                .unsupported, at: "expansion",
                "the products of \(linear) columns are too many; a linear model takes \(Self.widthLimit) columns",
                remedy: "use splines alone, select fewer covariates or group the levels of large categories")
        }
        let plain = DesignEncoder(sources, scores.scores, nil)
        self.init(
            sources, scores.scores,
            try Interactions(
                EncodedTable(encoder: plain, features: features, scores: scores.ofRows), rows: rows,
                weights: weights, totalWeight: totalWeight,
                owners: plain.linearColumns,
                context))
    }

    private init(_ sources: [Source], _ scores: [LevelScores], _ interactions: Interactions?) {
        self.sources = sources
        self.scores = scores
        self.interactions = interactions
        width = sources.reduce(scores.count) { $0 + $1.width } + (interactions?.width ?? 0)
    }

    /// How many columns there are without products.
    var baseWidth: Int { width - (interactions?.width ?? 0) }

    /// The place and the feature of each column that is none of a curve or a product, and whether it is an indicator that
    /// is not standardised.
    var linearColumns: [(column: Int, feature: Int, isPlain: Bool)] {
        var columns: [(column: Int, feature: Int, isPlain: Bool)] = []
        var first = 0
        for (feature, source) in sources.enumerated() {
            columns += (0..<source.linearWidth).map { (first + $0, feature, source.isPlain($0)) }
            first += source.width
        }
        columns += scores.enumerated().map { (first + $0, $1.feature, false) }
        return columns
    }

    private static func requireWidth(_ width: Int, limit: Int, _ sources: [Source], _ features: Table)
        throws(MetaLearnersError)
    {
        guard width > limit else { return }
        guard let widest = sources.indices.max(by: { sources[$0].width < sources[$1].width }) else { return }
        let name = features.columns[widest].name
        guard case .categorical(let encoding) = sources[widest] else {
            throw MetaLearnersError(
                .unsupported, at: "features",
                "a linear model takes \(limit) columns, there are \(width)",
                remedy: "select fewer covariates")
        }
        throw MetaLearnersError(
            .unsupported, at: "column '\(name)'",
            "it has \(encoding.shares.count) levels, which makes \(width) columns; a linear model takes "
                + "\(limit)",
            remedy: "exclude the column, group its levels, or use a backend that splits on categories")
    }

    /// Writes the design matrix of some rows, by columns that are `stride` apart.
    ///
    /// - Parameters:
    ///   - features: columns of the kinds learnt from.
    ///   - rows: at most `scratch.count` rows within the features.
    ///   - scratch: room for one number per row.
    ///   - ofRows: for each of the scores, that of every row; nil for those of the rows' levels.
    func fill(
        _ features: Table, rows: UnsafeBufferPointer<Int32>, to target: UnsafeMutablePointer<Double>,
        stride: Int,
        scratch: UnsafeMutableBufferPointer<Double>, scores ofRows: [[Double]]? = nil
    ) {
        let start = target
        var target = target
        let values = UnsafeBufferPointer(rebasing: scratch[0..<rows.count])
        for (column, source) in zip(features.columns, sources) where source.width > 0 {
            column.values.gather(rows, to: scratch)
            source.fill(values, to: target, stride: stride)
            target += source.width * stride
        }
        for (index, score) in scores.enumerated() {
            if let ofRows {
                for offset in 0..<rows.count { target[offset] = ofRows[index][Int(rows[offset])] }
            } else {
                features.columns[score.feature].values.gather(rows, to: scratch)
                for offset in 0..<rows.count { target[offset] = score.value(of: values[offset]) }
            }
            target += stride
        }
        interactions?.fill(rows.count, from: start, to: target, stride: stride)
    }

    /// Checks that `features` has columns of the kinds learnt from.
    ///
    /// - Throws: `invalidArgument`, naming the column.
    func requireKinds(of features: Table) throws(MetaLearnersError) {
        guard features.columns.count == sources.count else {
            throw MetaLearnersError(
                .invalidArgument, at: "features",
                "there are \(features.columns.count) columns; the model was trained on \(sources.count)")
        }
        for (column, source) in zip(features.columns, sources) {
            switch (source, column.kind) {
            case (.numeric, .numeric), (.categorical, .categorical): continue
            case (.numeric, .categorical):
                throw MetaLearnersError(
                    .invalidArgument, at: "column '\(column.name)'",
                    "is a category; the model knows it as a number")
            case (.categorical, .numeric):
                throw MetaLearnersError(
                    .invalidArgument, at: "column '\(column.name)'",
                    "is a number; the model knows it as a category")
            }
        }
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(sources.count + scores.count + (interactions == nil ? 0 : 1)))
        for source in sources {
            switch source {
            case .numeric(let encoding):
                let isPlain = encoding.isPlain && encoding.missingSpread > 0
                writer.write(UInt8((encoding.spline == nil ? 0 : 2) + (isPlain ? 5 : 0)))
                encoding.encode(to: &writer)
            case .categorical(let encoding):
                writer.write(UInt8(encoding.isPlain ? 4 : 1))
                encoding.encode(to: &writer)
            }
        }
        for score in scores {
            writer.write(UInt8(6))
            score.encode(to: &writer)
        }
        if let interactions {
            writer.write(UInt8(3))
            interactions.encode(to: &writer)
        }
    }

    init(from reader: inout BinaryReader) throws(MetaLearnersError) {
        let count = try reader.readCount(elementSize: 25)
        var sources: [Source] = []
        var scores: [LevelScores] = []
        var interactions: Interactions?
        for index in 0..<count {
            switch try reader.read(UInt8.self) {
            // Indicators stand as they are for 4, 5 and 7. Scores come behind all features.
            case let kind where [0, 2, 5, 7].contains(kind) && scores.isEmpty:
                sources.append(
                    .numeric(
                        try NumericEncoding(from: &reader, curved: kind % 5 == 2, isPlain: kind >= 5)))
            case let kind where (kind == 1 || kind == 4) && scores.isEmpty:
                sources.append(
                    .categorical(try CategoricalEncoding(from: &reader, isPlain: kind == 4)))
            case 3 where index == count - 1:
                interactions = try Interactions(
                    from: &reader, columns: sources.reduce(scores.count) { $0 + $1.width })
            case 6: scores.append(try LevelScores(from: &reader, of: sources))
            default: throw BinaryReader.corrupt("a column is neither numeric nor categorical")
            }
        }
        self.init(sources, scores, interactions)
    }
}
