/// Pairs of treated and control rows that are near each other on a score.
package enum NearestNeighbours {
    /// For each treated row the control row of the nearest score, which may serve several; of several as near, the first.
    /// O(rows log rows).
    package static func withReplacement(treated: [Double], control: [Double]) -> [Int] {
        let order = control.indices.sorted { (control[$0], $0) < (control[$1], $1) }
        guard !order.isEmpty else { return [] }
        // Of equal scores the first row stands for all.
        var distinct: [Int] = []
        for index in order where distinct.last.map({ control[$0] != control[index] }) ?? true {
            distinct.append(index)
        }
        return treated.map { score in
            var low = 0
            var high = distinct.count
            while low < high {
                let middle = (low + high) / 2
                if control[distinct[middle]] < score { low = middle + 1 } else { high = middle }
            }
            guard low < distinct.count else { return distinct[distinct.count - 1] }
            guard low > 0 else { return distinct[0] }
            let below = score - control[distinct[low - 1]]
            let above = control[distinct[low]] - score
            if below == above { return min(distinct[low - 1], distinct[low]) }
            return below < above ? distinct[low - 1] : distinct[low]
        }
    }

    /// Pairs in which no row serves twice: treated rows choose in descending order of their scores, each the nearest control
    /// row that is left within the caliper. O(rows log rows).
    package static func withoutReplacement(treated: [Double], control: [Double], caliper: Double) -> [(
        treated: Int, control: Int
    )] {
        let order = control.indices.sorted { (control[$0], $0) < (control[$1], $1) }
        let scores = order.map { control[$0] }
        // The next position that is free, at or after (before) each: chains that shorten as they are followed.
        var after = Array(0...order.count)
        var before = Array(0...order.count)  // Position p − 1 is that of `order`; 0 stands for none.
        func follow(_ links: inout [Int], _ start: Int) -> Int {
            var end = start
            while links[end] != end { end = links[end] }
            var step = start
            while links[step] != end { (step, links[step]) = (links[step], end) }
            return end
        }
        var pairs: [(treated: Int, control: Int)] = []
        for row in treated.indices.sorted(by: { (-treated[$0], $0) < (-treated[$1], $1) }) {
            var low = 0
            var high = scores.count
            while low < high {
                let middle = (low + high) / 2
                if scores[middle] < treated[row] { low = middle + 1 } else { high = middle }
            }
            let above = follow(&after, low)
            let below = follow(&before, low) - 1
            let up = above < scores.count ? scores[above] - treated[row] : .infinity
            let down = below >= 0 ? treated[row] - scores[below] : .infinity
            guard min(up, down) <= caliper, min(up, down).isFinite else { continue }
            let position = down < up ? below : above
            after[position] = position + 1
            before[position + 1] = position
            pairs.append((row, order[position]))
        }
        return pairs
    }
}
