/// How absent columns are taken, and whether values are exact.
public enum ShapleyMethod: String, CaseIterable, Sendable {
    /// Trees by the training weight at their splits; exact (Lundberg et al. 2018).
    case pathDependent = "path_dependent"
    /// Absent columns have the values of background rows; exact (Lundberg et al. 2020).
    case interventional
    /// The same, estimated from random orders of the columns, with a standard error.
    case permutation
}

/// Shapley values of formulas, for many rows.
package struct ShapleyValues: Sendable {
    /// For each row, formula and column, what the column contributes.
    package let values: [Double]
    /// The standard errors of these; empty where nothing was sampled.
    package let errors: [Double]

    package init(values: [Double], errors: [Double]) {
        self.values = values
        self.errors = errors
    }
}

/// Explains formulas: prepares what all rows share once, and then gives the Shapley values of the columns of any rows.
///
/// Parts that are exact are explained exactly: sums of trees (`TreeShapley`), functions of one column, products of two, and
/// anything of up to 6 columns by its definition (`ColumnSubsets`). What is left, such as an effect that is multiplied by a
/// propensity, a probability or a median, goes through `PermutationWalks`.
package struct FormulaShapley: Sendable {
    /// The way that values were found: `permutation` where any part was sampled.
    package let method: ShapleyMethod
    /// The expected value of each formula.
    package let baseValues: [Double]
    /// How many terms were sampled, and of how many columns.
    package let sampledColumnCount: Int

    private let outputCount: Int
    private let columnCount: Int
    private let trees: TreeShapley
    private let parts: FormulaParts
    private let curves: CompiledFormulas
    private let curveMeans: [Double]
    private let productMeans: [Double]
    private let rest: RestShapley?
    /// The base values of all channels, those of ratios included.
    private let channelBases: [Double]

    /// Prepares formulas.
    ///
    /// - Parameters:
    ///   - method: nil for path-dependent values where everything is made of trees whose training weights are known, else
    ///     interventional ones.
    ///   - background: the rows that absent columns are taken from; at least one.
    ///   - pairs: pairs of orders for each background row, where something is sampled.
    /// - Throws: `unsupported` for path-dependent values of what is not made of trees, or whose trees know no weights;
    ///   `invalidArgument`, `outOfMemory`, `cancelled`; `numericalFailure` where a background row overflows.
    package init(
        _ formulas: [Formula], columns: Int, method: ShapleyMethod?, background: CovariateMatrix, pairs: Int,
        seed: UInt64, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        guard background.rowCount > 0 else {
            throw MetaLearnersError(.invalidArgument, at: "background", "has no rows")
        }
        outputCount = formulas.count
        columnCount = columns
        var parts = try FormulaParts(
            formulas, dividesTrees: method == nil || method == .pathDependent, isWhole: method == .permutation
        )
        var isPathDependent = method == .pathDependent
        if method == nil {
            isPathDependent =
                !parts.trees.isEmpty && parts.isOfTreesAlone
                && parts.trees.allSatisfy { $0.part.trees.allSatisfy { $0.shares != nil } }
            if !isPathDependent { parts = try FormulaParts(formulas, dividesTrees: false) }
        }
        if isPathDependent { try Self.requirePathDependent(parts) }
        var trees: [ShapleyTree] = []
        for weighted in parts.trees {
            let missing = parts.channelCount - weighted.factors.count
            let factors = weighted.factors + [Double](repeating: 0, count: missing)
            guard factors.contains(where: { $0 != 0 }) else { continue }
            for tree in weighted.part.trees {
                trees.append(try ShapleyTree(tree, scale: weighted.part.scale, factors: factors))
            }
        }
        try trees.withPrepared(isPathDependent ? nil : background, context)
        try context.checkCancellation()
        self.trees = TreeShapley(trees, channels: parts.channelCount, columns: columns)
        var bases = zip(parts.constants, self.trees.expectations).map { $0 + $1 }
        // Functions of one column, and products of two.
        curves = try CompiledFormulas(
            FormulaGraph(parts.curves.map(\.part.formula)), columnCount: columns)
        let ofBackground = try curves.values(of: background)
        let (count, width) = (Double(background.rowCount), parts.curves.count)
        curveMeans = (0..<width).map { curve in
            (0..<background.rowCount).reduce(0) { $0 + ofBackground[$1 * width + curve] } / count
        }
        productMeans = parts.products.map { product in
            (0..<background.rowCount).reduce(0) {
                $0 + ofBackground[$1 * width + product.part.0] * ofBackground[$1 * width + product.part.1]
            } / count
        }
        for (curve, mean) in zip(parts.curves, curveMeans) {
            for (channel, factor) in curve.factors.enumerated() where factor != 0 {
                bases[channel] += factor * mean
            }
        }
        for (product, mean) in zip(parts.products, productMeans) {
            for (channel, factor) in product.factors.enumerated() { bases[channel] += factor * mean }
        }
        // The rest.
        let restColumns = parts.restColumns
        if restColumns.isEmpty {
            rest = nil
        } else {
            let rest = try RestShapley(
                parts.rest.prefix(outputCount).map { terms in
                    Formula(.linear(intercept: 0, coefficients: terms.map(\.factor), terms.map(\.formula)))
                }, restColumns, columnCount: columns, background, pairs: pairs, seed: seed,
                isExact: method != .permutation && restColumns.count <= ColumnSubsets.columnLimit)
            for (channel, mean) in rest.means.enumerated() { bases[channel] += mean }
            self.rest = rest
        }
        channelBases = bases
        for ratio in parts.ratios { bases[ratio.channel] += ratio.factor * Self.quotient(ratio, bases) }
        baseValues = Array(bases.prefix(outputCount))
        let isSampled = rest.map { !$0.isExact } ?? false
        sampledColumnCount = isSampled ? restColumns.count : 0
        self.method = isPathDependent ? .pathDependent : isSampled ? .permutation : .interventional
        self.parts = parts
    }

    private static func requirePathDependent(_ parts: FormulaParts) throws(MetaLearnersError) {
        guard parts.isOfTreesAlone else {
            throw MetaLearnersError(
                .unsupported, at: "method",
                "the effect is no sum of trees alone, and has no path-dependent values",
                remedy: "use method: interventional")
        }
        guard parts.trees.allSatisfy({ $0.part.trees.allSatisfy { $0.shares != nil } }) else {
            throw MetaLearnersError(
                .unsupported, at: "method",
                "the trees do not know how many training rows came to their nodes",
                remedy: "use method: interventional")
        }
    }

    /// The ratio of the expected values, which ratios are compared with.
    private static func quotient(_ ratio: FormulaParts.Ratio, _ bases: [Double]) -> Double {
        let (numerator, denominator) = (bases[ratio.numerator], bases[ratio.denominator])
        if let otherwise = ratio.otherwise, !(denominator > 0) { return otherwise }
        return numerator / denominator
    }

    /// The Shapley values of the columns of every row.
    ///
    /// - Throws: `cancelled`, `outOfMemory`; `numericalFailure` where a value overflows.
    /// - Complexity: for trees O(rows · nodes); where something is sampled, O(rows · background rows · pairs · columns)
    ///   evaluations of it.
    package func explain(_ matrix: CovariateMatrix, _ context: ExecutionContext) throws(MetaLearnersError)
        -> ShapleyValues
    {
        let channels = parts.channelCount
        let width = channels * columnCount
        let (total, overflow) = matrix.rowCount.multipliedReportingOverflow(by: max(width, 1))
        guard !overflow else { throw MetaLearnersError(.outOfMemory, "there are too many values") }
        try AvailableMemory.require(total, of: rest == nil ? 16 : 32, for: "the explanation")
        let room = try AlignedBuffer<Double>(zeroed: total, remedy: "explain fewer rows at a time")
        try trees.add(of: matrix, to: room.start, context)
        try addCurves(matrix, to: room.start, context)
        var errors: [Double] = []
        if let rest {
            let isSampled = !rest.isExact
            let errorRoom = try AlignedBuffer<Double>(zeroed: isSampled ? matrix.rowCount * width : 0)
            try rest.add(
                of: matrix, to: room.start, errors: isSampled ? errorRoom.start : nil, stride: width, context)
            if isSampled { errors = outputs(of: errorRoom.start, matrix.rowCount) }
        }
        divide(room.start, matrix.rowCount)
        return ShapleyValues(values: outputs(of: room.start, matrix.rowCount), errors: errors)
    }

    /// The channels of formulas alone.
    private func outputs(of values: UnsafeMutablePointer<Double>, _ rows: Int) -> [Double] {
        let size = outputCount * columnCount
        return [Double](unsafeUninitializedCapacity: rows * size) { buffer, count in
            if let target = buffer.baseAddress {
                for row in 0..<rows {
                    (target + row * size).initialize(
                        from: values + row * parts.channelCount * columnCount, count: size)
                }
            }
            count = rows * size
        }
    }

    private func addCurves(
        _ matrix: CovariateMatrix, to target: UnsafeMutablePointer<Double>, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        let count = parts.curves.count
        guard count > 0 else { return }
        let target = SharedTarget(start: target)
        try curves.forEachRow(of: matrix, context) { row, values in
            let results = target.start + row * parts.channelCount * columnCount
            for (index, curve) in parts.curves.enumerated() {
                let difference = values[index] - curveMeans[index]
                for (channel, factor) in curve.factors.enumerated() where factor != 0 {
                    results[channel * columnCount + curve.part.column] += factor * difference
                }
            }
            for (index, product) in parts.products.enumerated() {
                let (first, second) = product.part
                let (u, v) = (values[first], values[second])
                let (meanU, meanV, mean) = (curveMeans[first], curveMeans[second], productMeans[index])
                // What each adds to the background's, and to the other's, on average.
                let ofFirst = ((u * meanV - mean) + (u * v - meanU * v)) / 2
                let ofSecond = ((meanU * v - mean) + (u * v - u * meanV)) / 2
                for (channel, factor) in product.factors.enumerated() where factor != 0 {
                    let place = channel * columnCount
                    results[place + parts.curves[first].part.column] += factor * ofFirst
                    results[place + parts.curves[second].part.column] += factor * ofSecond
                }
            }
        }
    }

    /// Adds what ratios give: with r the ratio of the expected values, N/D − r is (N − rD)/D, whose upper part is a sum of trees.
    private func divide(_ values: UnsafeMutablePointer<Double>, _ rows: Int) {
        for ratio in parts.ratios {
            let expected = Self.quotient(ratio, channelBases)
            for row in 0..<rows {
                let ofRow = values + row * parts.channelCount * columnCount
                let numerator = ofRow + ratio.numerator * columnCount
                let denominator = ofRow + ratio.denominator * columnCount
                let target = ofRow + ratio.channel * columnCount
                let divisor = (0..<columnCount).reduce(channelBases[ratio.denominator]) {
                    $0 + denominator[$1]
                }
                if let otherwise = ratio.otherwise, !(divisor > 0) {
                    // Nothing is known of the row: no column has a part in that.
                    for column in 0..<columnCount {
                        target[column] += ratio.factor * (otherwise - expected) / Double(columnCount)
                    }
                    continue
                }
                for column in 0..<columnCount {
                    target[column] +=
                        ratio.factor * (numerator[column] - expected * denominator[column]) / divisor
                }
            }
        }
    }
}

extension [ShapleyTree] {
    /// Gives every tree what absent columns are: those of `background`, or nil for the training weight.
    fileprivate mutating func withPrepared(_ background: CovariateMatrix?, _ context: ExecutionContext)
        throws(MetaLearnersError)
    {
        guard let background else {
            for index in indices { self[index].followTrainingWeights() }
            return
        }
        let trees = self
        let prepared = ResultSlots<ShapleyTree>(count: trees.count)
        context.concurrently(trees.count) { index in
            if context.isCancelled { return }
            var tree = trees[index]
            tree.takeAbsent(from: background)
            prepared[index] = tree
        }
        for index in indices {
            guard let tree = prepared[index] else {
                try context.checkCancellation()
                throw MetaLearnersError(.internalFault, "a tree was not prepared")
            }
            self[index] = tree
        }
    }
}
