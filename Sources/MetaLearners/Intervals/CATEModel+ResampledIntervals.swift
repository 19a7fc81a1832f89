import MetaLearnersCore

extension CATEModel {
    /// The ends of an interval.
    typealias Ends = (lower: Double, upper: Double)

    /// The ends of intervals by the effects that resamples give; rows by blocks, so that memory stays bounded.
    ///
    /// - Parameters:
    ///   - effects: for each contrast (and class), the effect of each row.
    ///   - ends: what a row's effects by the resamples, its effect and the number of the contrast make of it.
    func resampledEnds(
        _ samples: [FittedEffects], _ contrasts: [ArmContrast], _ scale: EffectScale, _ table: Table,
        _ effects: [[Double]], _ context: ExecutionContext,
        _ ends: (inout [Double], Double, Int) -> Ends
    ) throws(MetaLearnersError) -> [(lower: [Double], upper: [Double])] {
        guard samples.allSatisfy({ scale == .difference || $0.hasArmMeans(armCount: armLabels.count) }) else {
            throw MetaLearnersError(
                .unsupported, at: "effect_scale",
                "the resamples of the learner '\(spec.learner.rawValue)' keep no outcome models, which \(scale.rawValue)s need",
                remedy: "use a learner that compares outcome models: "
                    + registry.learnerNames { $0.form == .comparison })
        }
        var result = effects.map { (lower: $0, upper: $0) }
        for start in stride(from: 0, to: table.rowCount, by: Self.resampledBlockRows) {
            let end = min(start + Self.resampledBlockRows, table.rowCount)
            let block =
                table.rowCount <= Self.resampledBlockRows
                ? table : table.selecting(rows: Array(Int32(start)..<Int32(end)))
            let columns = try resampledColumns(samples, contrasts, scale, block, context)
            for index in effects.indices {
                var values = [Double](repeating: 0, count: samples.count)
                for row in 0..<end - start {
                    for sample in samples.indices { values[sample] = columns[sample][index][row] }
                    let ofRow = ends(&values, effects[index][start + row], index)
                    result[index].lower[start + row] = ofRow.lower
                    result[index].upper[start + row] = ofRow.upper
                }
            }
        }
        return result
    }

    private static let resampledBlockRows = 16_384

    /// The quantiles of the resamples' effects, or the effect ± quantile · their standard deviation.
    static func bootstrapEnds(
        _ values: inout [Double], around effect: Double, _ type: IntervalSpec.Kind, _ level: Double
    ) -> Ends {
        let tail = (1 - level) / 2
        switch type {
        case .percentile:
            values.sort()
            return (quantile(of: values, tail), quantile(of: values, 1 - tail))
        case .normal:
            let mean = values.reduce(0, +) / Double(values.count)
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            let error =
                (squares / Double(max(values.count - 1, 1))).squareRoot()
                * StandardNormal.quantile(1 - tail)
            return (effect - error, effect + error)
        }
    }

    /// The effect ± quantile · √((5/4)²·mean of (effect by a half − effect)² + allowance).
    ///
    /// Of an estimate whose variance falls with 1/n, a half differs from the whole by as much as the whole does from what it
    /// estimates; what it smooths away is larger in halves, too. The 5/4 stands for the part of that which halves do not show; it was
    /// found on laws that `Benchmarks/cate-coverage` names.
    static func halfSamplingEnds(
        _ values: inout [Double], around effect: Double, allowance: Double, _ level: Double
    ) -> Ends {
        let square = values.reduce(0) { $0 + ($1 - effect) * ($1 - effect) } / Double(values.count)
        let error = (25 / 16 * square + allowance).squareRoot() * StandardNormal.quantile((1 + level) / 2)
        return (effect - error, effect + error)
    }

    /// The contrasts of the rows of `block` by each resample's models, side by side.
    private func resampledColumns(
        _ samples: [FittedEffects], _ contrasts: [ArmContrast], _ scale: EffectScale, _ block: Table,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[[Double]]] {
        let results = ResultSlots<Result<[[Double]], MetaLearnersError>>(count: samples.count)
        let inner = ExecutionContext(threads: 1, cancellation: context.cancellation)
        let aligned = try AlignedRows(block, schema, spec.data)
        context.concurrently(samples.count) { index in
            do throws(MetaLearnersError) {
                try inner.checkCancellation()
                var rows = aligned
                results[index] = .success(
                    try contrastColumns(contrasts, scale, &rows, samples[index], .combined, inner))
            } catch {
                results[index] = .failure(error)
            }
        }
        var columns: [[[Double]]] = []
        for index in samples.indices { columns.append(try results[index]?.get() ?? []) }
        return columns
    }

    /// A quantile of sorted values, interpolated between order statistics (Hyndman & Fan's type 7).
    private static func quantile(of sorted: [Double], _ share: Double) -> Double {
        guard let last = sorted.indices.last else { return .nan }
        let position = share * Double(last)
        let low = min(Int(position), last)
        let high = min(low + 1, last)
        // Of two equal ends (infinite ones, say) no mean is taken.
        guard sorted[low] != sorted[high] else { return sorted[low] }
        return sorted[low] + (position - Double(low)) * (sorted[high] - sorted[low])
    }
}
