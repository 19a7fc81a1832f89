import MetaLearnersCore

/// Resamples of rows or of whole clusters, whose scatter tells the standard error of what is computed on them.
///
/// Each resample draws from a random stream of its own, so that neither the number of threads nor their order changes a result.
package struct Resampling: Sendable {
    /// How a resample is drawn.
    package enum Scheme: Sendable {
        /// As many units as there are, with replacement (Efron 1979).
        case bootstrap
        /// Half of the units, without replacement, as grf does: the standard deviation over half-samples is the standard error
        /// of the whole, since (1/(n/2) − 1/n) = 1/n.
        case halfSamples
    }

    /// What is drawn as one: the unit of each row, a code from 0; −1 for rows without weight.
    package let units: [Int32]
    /// How many units there are.
    package let unitCount: Int
    private let scheme: Scheme
    private let seed: UInt64

    /// Prepares resamples of the rows that have weight.
    ///
    /// - Parameters:
    ///   - scheme: how resamples are drawn.
    ///   - weights: the weight of each row.
    ///   - clusters: the cluster of each row, drawn whole; nil where rows are independent.
    ///   - seed: decides every draw.
    /// - Throws: `invalidData` where there are fewer than four units: their halves would say nothing.
    package init(_ scheme: Scheme, weights: [Double], clusters: [Int32]?, seed: Int)
        throws(MetaLearnersError)
    {
        var codes: [Int32: Int32] = [:]
        var count: Int32 = 0
        units = weights.indices.map { row in
            guard weights[row] > 0 else { return -1 }
            if let cluster = clusters?[row] {
                if let known = codes[cluster] { return known }
                codes[cluster] = count
            }
            count += 1
            return count - 1
        }
        unitCount = Int(count)
        self.scheme = scheme
        self.seed = UInt64(truncatingIfNeeded: seed)
        guard unitCount >= 4 else {
            throw MetaLearnersError(
                .invalidData, at: "rows",
                "there are \(unitCount) \(clusters == nil ? "rows" : "clusters") with weight, too few to resample",
                remedy: "resampling needs at least 4")
        }
    }

    /// Computes something on each of `count` resamples.
    ///
    /// - Parameters:
    ///   - stage: what progress calls it.
    ///   - body: given how often each unit was drawn; nil where the resample allows no answer.
    /// - Returns: the answers in the order of the resamples, and whether all were asked: an interrupt leaves those that are
    ///   there.
    /// - Throws: whatever kept the work from being done but an interrupt.
    /// - Complexity: O(count × units), beside the body.
    package func answers<Value: Sendable>(
        _ count: Int, _ stage: String, _ scheduler: Scheduler,
        _ body: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Value?
    ) throws(MetaLearnersError) -> (values: [Value], isComplete: Bool) {
        let slots = ResultSlots<Value>(count: count)
        var isComplete = true
        do throws(MetaLearnersError) {
            try scheduler.run(stage, count: count) { index, _ in
                withUnsafeTemporaryAllocation(of: UInt8.self, capacity: unitCount) { counts in
                    draw(UInt64(index), counts)
                    slots[index] = body(UnsafeBufferPointer(counts))
                }
            }
        } catch {
            guard error.kind == .cancelled else { throw error }
            isComplete = false
        }
        return ((0..<count).compactMap { slots[$0] }, isComplete)
    }

    private func draw(_ index: UInt64, _ counts: UnsafeMutableBufferPointer<UInt8>) {
        var stream = RandomStream(seed: seed, path: 0x7265_7361, index)
        switch scheme {
        case .halfSamples:
            stream.select(unitCount / 2, of: unitCount) { counts[$0] = $1 ? 1 : 0 }
        case .bootstrap:
            counts.update(repeating: 0)
            for _ in 0..<unitCount {
                let unit = stream.integer(below: unitCount)
                if counts[unit] < .max { counts[unit] += 1 }
            }
        }
    }

    /// The standard deviation of each number over resamples; 0 with fewer than two.
    package static func deviations(_ draws: [[Double]]) -> [Double] {
        guard let width = draws.first?.count else { return [] }
        guard draws.count > 1 else { return [Double](repeating: 0, count: width) }
        return (0..<width).map { column in
            var mean = 0.0
            for draw in draws { mean += draw[column] }
            mean /= Double(draws.count)
            var squares = 0.0
            for draw in draws { squares += (draw[column] - mean) * (draw[column] - mean) }
            return (squares / Double(draws.count - 1)).squareRoot()
        }
    }

    /// By how many standard errors a whole curve stays within its band with probability `level`: the quantile over resamples of
    /// the largest |draw − estimate|/error (the sup-t band; Montiel Olea & Plagborg-Møller 2019). Points without an error are
    /// left out; nil where no point has one.
    package static func bandWidth(
        _ draws: [[Double]], around estimates: [Double], errors: [Double], level: Double
    ) -> Double? {
        let points = errors.indices.filter { errors[$0] > 0 }
        guard !points.isEmpty, draws.count > 1 else { return nil }
        let largest = draws.map { draw in
            points.reduce(0) { max($0, abs(draw[$1] - estimates[$1]) / errors[$1]) }
        }
        return OrderStatistics.quantile(ofSorted: largest.sorted(), level)
    }
}
