import MetaLearnersCore

extension XGBoostModel: ExplainableEstimator {
    /// XGBoost's own path-dependent Shapley values (`pred_contribs`; Lundberg et al. 2018, arXiv 1802.03888), in single
    /// precision, on the scale of scores: of the log odds for two classes, of log probabilities (but for a constant of
    /// the row) for more.
    ///
    /// - Throws: `unsupported` for a background, which XGBoost does not know; what `predict` throws.
    /// - Complexity: O(rows · trees · leaves · depth²).
    func contributions(
        _ features: Table, rows: [Int32]?, background: Table?, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> Contributions {
        guard background == nil else {
            throw MetaLearnersError(
                .unsupported, at: "background", "XGBoost knows contributions without background rows only",
                remedy: "leave the background out, or use the backend trees")
        }
        let columns = shape.levels.count
        let outputs = shape.offsets.count
        let width = outputs * (columns + 1)
        let values = try filled(features, rows, width: width, context) {
            range, target throws(MetaLearnersError) in
            try explain(features, rows, range, to: target)
        }
        let scale: Contributions.Scale =
            switch shape.link {
            case .identity: .prediction
            case .logistic: .logOdds
            case .softmax: .logProbability
            }
        return Contributions(values: values, scale: scale, outputCount: outputs, columnCount: columns)
    }

    private func explain(
        _ features: Table, _ rows: [Int32]?, _ range: Range<Int>, to target: UnsafeMutablePointer<Double>
    ) throws(MetaLearnersError) {
        let columns = shape.levels.count
        let outputs = shape.offsets.count
        let width = columns + 1
        if let booster {
            let levels = shape.levels.map { Int($0) }
            let buffer = try AlignedBuffer<Float>(uninitialized: range.count * columns)
            FeatureGatherer(features, levels: levels).copy(RowSelection(rows, range), to: buffer.start)
            let interface = ArrayInterface(columnMajor: buffer.start, rows: range.count, columns: columns)
            let count = range.count * outputs * width
            try booster.contributions(interface, types: FeatureTypes(levels: levels), count: count) {
                numbers in
                for index in 0..<count { target[index] = Double(numbers[index]) / shape.scale }
            }
            withExtendedLifetime(buffer) {}
        }
        // What XGBoost starts from is part of its expected margin; ours starts elsewhere.
        let start = booster == nil ? 0 : shape.link.baseMargin / shape.scale
        for row in 0..<range.count {
            for output in 0..<outputs {
                target[(row * outputs + output) * width + columns] += shape.offsets[output] - start
            }
        }
    }

    /// A number for each column, summed over the trees; zeros for models that are no trees (`booster: gblinear`).
    func importances(_ kind: ImportanceKind) -> [Double] {
        var sums = [Double](repeating: 0, count: shape.levels.count)
        for text in (try? dumpedTrees()) ?? [] {
            guard let root = try? SpecValue(json: text.utf8, source: "tree") else { continue }
            add(root, of: kind, weight: root.objectValue?["cover"]?.doubleValue ?? 0, to: &sums)
        }
        return sums
    }

    /// The trees as JSON, by a booster of their own: writing them tells it what columns are.
    func dumpedTrees() throws(MetaLearnersError) -> [String] {
        guard let trees else { return [] }
        return try Booster(XGBoostLibrary.found.get(), saved: trees)
            .dumped(types: FeatureTypes(levels: shape.levels.map { Int($0) }))
    }

    /// Adds the splits of a node and of those below it.
    ///
    /// - Parameter weight: the Hessians of the whole tree's rows.
    private func add(_ node: SpecValue, of kind: ImportanceKind, weight: Double, to sums: inout [Double]) {
        guard let node = node.objectValue, let name = node["split"]?.stringValue,
            let column = Int(name.dropFirst()), sums.indices.contains(column)
        else { return }
        switch kind {
        case .gain: sums[column] += (node["gain"]?.doubleValue ?? 0) / (shape.scale * shape.scale)
        case .cover: sums[column] += weight > 0 ? (node["cover"]?.doubleValue ?? 0) / weight : 0
        case .splits: sums[column] += 1
        }
        for child in node["children"]?.arrayValue ?? [] { add(child, of: kind, weight: weight, to: &sums) }
    }
}
