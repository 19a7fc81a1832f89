import MetaLearnersCore

/// The targeting operator characteristic (TOC) of a ranking and its weighted areas, on doubly robust scores.
///
/// TOC(q) is the average effect of the share q that is ranked first, less that of everybody. RATE is ∫ α(q) TOC(q) dq with α = 1
/// (AUTOC) or α = q (QINI), a sum over rows (Yadlowsky, Fleming, Shah, Brunskill & Wager 2021, arXiv 2111.07966). As in grf, rows
/// of equal rank all count with the average score of their group; of these, rows of less weight stand first, so that the
/// order of the data does not matter.
package struct TargetingCurve: Sendable {
    /// The row at each place of the ranking, by its unit of resampling.
    private let units: [Int32]
    private let weights: [Double]
    private let scores: [Double]
    /// Where each group of equal ranks ends.
    private let ends: [Int]
    /// The shares at which TOC is asked for, ascending.
    private let grid: [Double]

    /// Sorts the rows that have weight. O(rows log rows).
    ///
    /// - Parameters:
    ///   - priorities: who is treated first: the larger, the earlier.
    ///   - scores: ψ for each row.
    ///   - units: the unit of resampling of each row.
    package init(priorities: [Double], scores: [Double], weights: [Double], units: [Int32], grid: [Double]) {
        let order = priorities.indices.filter { weights[$0] > 0 }.sorted {
            priorities[$0] != priorities[$1]
                ? priorities[$0] > priorities[$1] : (weights[$0], $0) < (weights[$1], $1)
        }
        self.units = order.map { units[$0] }
        self.weights = order.map { weights[$0] }
        self.scores = order.map { scores[$0] }
        self.grid = grid
        ends = order.indices.filter { place in
            place + 1 == order.count || priorities[order[place]] != priorities[order[place + 1]]
        }.map { $0 + 1 }
    }

    /// AUTOC, QINI, and TOC at each share of the grid; on a resample where there are counts of its units. Nil where nothing is
    /// drawn. O(rows).
    package func values(_ counts: UnsafeBufferPointer<UInt8>? = nil) -> [Double]? {
        units.withUnsafeBufferPointer { units in
            weights.withUnsafeBufferPointer { weights in
                scores.withUnsafeBufferPointer { scores in
                    values(counts, units, weights, scores)
                }
            }
        }
    }

    private func values(
        _ counts: UnsafeBufferPointer<UInt8>?, _ units: UnsafeBufferPointer<Int32>,
        _ weights: UnsafeBufferPointer<Double>, _ scores: UnsafeBufferPointer<Double>
    ) -> [Double]? {
        @inline(__always) func weight(_ place: Int) -> Double {
            guard let counts else { return weights[place] }
            return weights[place] * Double(counts[Int(units[place])])
        }
        var total = 0.0
        var sum = 0.0
        for place in units.indices {
            let weight = weight(place)
            total += weight
            sum += weight * scores[place]
        }
        guard total > 0 else { return nil }
        let average = sum / total
        var result = [Double](repeating: 0, count: 2 + grid.count)
        var (autoc, qini, ahead, gained) = (0.0, 0.0, 0.0, 0.0)
        var point = 0
        var start = 0
        for end in ends {
            var inside = 0.0
            var mean = 0.0
            for place in start..<end {
                let weight = weight(place)
                inside += weight
                mean += weight * scores[place]
            }
            guard inside > 0 else {
                start = end
                continue
            }
            mean /= inside
            // A share that ends within the group takes a part of it.
            while point < grid.count, grid[point] < 1, grid[point] * total <= ahead + inside {
                let wanted = grid[point] * total
                result[2 + point] = (gained + (wanted - ahead) * mean) / wanted - average
                point += 1
            }
            for place in start..<end {
                let weight = weight(place)
                guard weight > 0 else { continue }
                ahead += weight
                gained += weight * mean
                let excess = weight * (gained / ahead - average)
                autoc += excess
                qini += ahead * excess
            }
            start = end
        }
        result[0] = autoc / total
        result[1] = qini / total / total
        return result
    }
}
