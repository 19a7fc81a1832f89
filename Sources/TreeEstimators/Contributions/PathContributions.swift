/// Exact path-dependent Shapley values of a tree's columns for one row (TreeSHAP; Lundberg et al. 2018,
/// arXiv 1802.03888, algorithm 2; 2020, doi 10.1038/s42256-019-0138-9).
///
/// The value of a set S of columns is the expectation of the tree that follows the row at splits by columns in S,
/// and both children, weighted by their training rows, at others. O(leaves · depth²) a row.
struct PathContributions {
    /// A column on the way to a node.
    private struct Step {
        var place: Int
        /// The share of the training rows that go the way, where the column is absent.
        var absent: Double
        /// Whether the row itself goes the way: 1 or 0.
        var present: Double
        /// The weight of sets of so many columns of the way.
        var weight: Double
    }

    private let tree: ExplainedTree
    private let bins: UnsafePointer<UInt16>
    private let leafWidth: Int
    /// Of each column, by its place, the tree's scores side by side.
    private let target: UnsafeMutablePointer<Double>
    private let scoreCount: Int
    /// A way for each depth, one after the other: each node changes a copy of its parent's.
    private let steps: UnsafeMutablePointer<Step>

    /// Adds the contributions of `tree` for the row with these bins to `target`, `scoreCount` numbers per column.
    static func add(
        _ tree: ExplainedTree, _ bins: UnsafePointer<UInt16>, leafWidth: Int,
        to target: UnsafeMutablePointer<Double>, scoreCount: Int
    ) {
        let capacity = (tree.depth + 2) * (tree.depth + 3) / 2 + 1
        withUnsafeTemporaryAllocation(of: Step.self, capacity: capacity) { steps in
            guard let start = steps.baseAddress else { return }
            let walk = PathContributions(
                tree: tree, bins: bins, leafWidth: leafWidth, target: target, scoreCount: scoreCount,
                steps: start)
            walk.visit(0, start, length: 0, Step(place: -1, absent: 1, present: 1, weight: 0))
        }
    }

    /// Visits a node: `parent` is the way to the node above, of `length` steps, and `step` leads from there.
    private func visit(
        _ index: Int, _ parent: UnsafeMutablePointer<Step>, length: Int, _ step: Step
    ) {
        let path = length == 0 ? parent : parent + length
        for position in 0..<length { path[position] = parent[position] }
        var count = length
        extend(path, &count, step)
        let node = tree.tree.nodes[index]
        if node.kind == .leaf { return addLeaf(Int(node.next), path, count) }
        let place = Int(node.place)
        let right = Int(node.next)
        let isRight = tree.tree.sets.withUnsafeBufferPointer {
            ForestTree.goesRight(node, bins[place], $0.baseAddress)
        }
        var absent = 1.0
        var present = 1.0
        // A column counts once on a way: what an earlier split by it did is taken back.
        if let known = (1..<count).first(where: { path[$0].place == place }) {
            absent = path[known].absent
            present = path[known].present
            unwind(path, &count, known)
        }
        for (child, isTaken) in [(index + 1, !isRight), (right, isRight)] {
            let next = Step(
                place: place, absent: absent * tree.share(of: child, at: index),
                present: isTaken ? present : 0, weight: 0)
            // What neither the row nor the training rows reach counts for nothing.
            if next.absent == 0, next.present == 0 { continue }
            visit(child, path, length: count, next)
        }
    }

    private func extend(_ path: UnsafeMutablePointer<Step>, _ count: inout Int, _ step: Step) {
        path[count] = step
        path[count].weight = count == 0 ? 1 : 0
        let size = Double(count + 1)
        for index in (0..<count).reversed() {
            path[index + 1].weight += step.present * path[index].weight * Double(index + 1) / size
            path[index].weight = step.absent * path[index].weight * Double(count - index) / size
        }
        count += 1
    }

    private func unwind(_ path: UnsafeMutablePointer<Step>, _ count: inout Int, _ removed: Int) {
        let last = count - 1
        let (present, absent) = (path[removed].present, path[removed].absent)
        let size = Double(count)
        var next = path[last].weight
        for index in (0..<last).reversed() {
            if present != 0 {
                let weight = path[index].weight
                path[index].weight = next * size / (Double(index + 1) * present)
                next = weight - path[index].weight * absent * Double(last - index) / size
            } else {
                path[index].weight = path[index].weight * size / (absent * Double(last - index))
            }
        }
        for index in removed..<last {
            path[index].place = path[index + 1].place
            path[index].absent = path[index + 1].absent
            path[index].present = path[index + 1].present
        }
        count -= 1
    }

    /// The sum of the weights once a step is taken back.
    private func unwoundSum(_ path: UnsafeMutablePointer<Step>, _ count: Int, _ removed: Int) -> Double {
        let last = count - 1
        let (present, absent) = (path[removed].present, path[removed].absent)
        let size = Double(count)
        var next = path[last].weight
        var total = 0.0
        for index in (0..<last).reversed() {
            if present != 0 {
                let weight = next * size / (Double(index + 1) * present)
                total += weight
                next = path[index].weight - weight * absent * Double(last - index) / size
            } else {
                total += path[index].weight * size / (absent * Double(last - index))
            }
        }
        return total
    }

    private func addLeaf(_ leaf: Int, _ path: UnsafeMutablePointer<Step>, _ count: Int) {
        for position in 1..<max(count, 1) {
            let weight =
                unwoundSum(path, count, position) * (path[position].present - path[position].absent)
            let scores = target + path[position].place * scoreCount + tree.firstScore
            for index in 0..<leafWidth {
                scores[index] += weight * Double(tree.tree.values[leaf * leafWidth + index])
            }
        }
    }
}
