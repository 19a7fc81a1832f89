import MetaLearnersCore
import TreeEstimators

/// A learner that tries every split of every leaf on the rows themselves: slow, plain, and right.
///
/// Splits of categories are tried in every way where there are five or more in a leaf, else each against the others.
struct ExactGreedyTree {
    let columns: [[Double]]
    /// Columns of codes, NaN where one is missing.
    var categories: [[Double]] = []
    let gradients: [Double]
    let hessians: [Double]
    let spec: TreesSpec

    private struct Split {
        let gain: Double
        let goesRight: [Bool]
    }

    private struct Leaf {
        let rows: [Int]
        let depth: Int
    }

    private func sums(_ rows: [Int]) -> (gradient: Double, hessian: Double) {
        let gradient = rows.reduce(0) { $0 + gradients[$1] }
        return (
            gradient > 0 ? max(0, gradient - spec.l1) : min(0, gradient + spec.l1),
            rows.reduce(0) { $0 + hessians[$1] }
        )
    }

    private func optimum(_ rows: [Int]) -> (value: Double, score: Double) {
        let (gradient, hessian) = sums(rows)
        return (gradient / (hessian + spec.l2), gradient * gradient / (hessian + spec.l2))
    }

    /// Every way to part `rows`: whether each row of the dataset goes right.
    private func ways(_ rows: [Int]) -> [[Bool]] {
        var ways: [[Bool]] = []
        for column in columns {
            let values = Set(rows.map { column[$0] }.filter { !$0.isNaN }).sorted()
            for value in values {
                for missingRight in [true, false] {
                    ways.append(column.map { $0.isNaN ? missingRight : $0 > value })
                }
            }
        }
        for codes in categories {
            // A missing category is one like others.
            let codes = codes.map { $0.isNaN ? -1 : Int($0) }
            let present = Set(rows.map { codes[$0] }).sorted()
            if present.count <= 4 {
                for code in present { ways.append(codes.map { $0 == code }) }
            } else {
                for set in 1..<(1 << (present.count - 1)) {
                    let right = Set(present.indices.filter { set >> $0 & 1 == 1 }.map { present[$0] })
                    ways.append(codes.map(right.contains))
                }
            }
        }
        return ways
    }

    private func bestSplit(_ leaf: Leaf) -> Split? {
        guard spec.maxDepth == 0 || leaf.depth < spec.maxDepth else { return nil }
        let whole = optimum(leaf.rows).score
        var best: Split?
        for goesRight in ways(leaf.rows) {
            let left = leaf.rows.filter { !goesRight[$0] }
            let right = leaf.rows.filter { goesRight[$0] }
            guard min(left.count, right.count) >= spec.minLeafSize,
                min(sums(left).hessian, sums(right).hessian) >= spec.minChildWeight
            else { continue }
            let gain = optimum(left).score + optimum(right).score - whole
            if gain > max(best?.gain ?? 1e-9, spec.minSplitGain) * (1 + 1e-9) {
                best = Split(gain: gain, goesRight: goesRight)
            }
        }
        return best
    }

    /// The Newton step of each row's leaf.
    func steps() -> [Double] {
        var leaves = [Leaf(rows: Array(gradients.indices), depth: 0)]
        while leaves.count < spec.maxLeaves.number ?? 0 {
            var best: (leaf: Int, split: Split)?
            for (index, leaf) in leaves.enumerated() {
                guard let split = bestSplit(leaf) else { continue }
                if let best, spec.growth == .depthWise, leaves[best.leaf].depth < leaf.depth { continue }
                let isShallower = best.map { leaf.depth < leaves[$0.leaf].depth } ?? true
                if spec.growth == .depthWise && isShallower || split.gain > best?.split.gain ?? 0 {
                    best = (index, split)
                }
            }
            guard let best else { break }
            let leaf = leaves[best.leaf]
            leaves[best.leaf] = Leaf(
                rows: leaf.rows.filter { !best.split.goesRight[$0] }, depth: leaf.depth + 1)
            leaves.append(Leaf(rows: leaf.rows.filter { best.split.goesRight[$0] }, depth: leaf.depth + 1))
        }
        var values = [Double](repeating: 0, count: gradients.count)
        for leaf in leaves {
            let value = optimum(leaf.rows).value
            for row in leaf.rows { values[row] = value }
        }
        return values
    }

    /// What the tree adds to each row.
    func fit() -> [Double] { steps().map { spec.learningRate * $0 } }
}
