/// Exact interventional Shapley values of a tree's columns for one row against one background row (Lundberg et al.
/// 2020, doi 10.1038/s42256-019-0138-9).
///
/// The value of a set S of columns is the tree's value at a row that has the columns in S from the row and the others
/// from the background row. A leaf is reached where a certain number of columns are the row's and a certain number
/// are the background's, which gives each its share at once: O(nodes) a pair of rows.
struct InterventionalContributions {
    private let tree: ExplainedTree
    private let bins: UnsafePointer<UInt16>
    private let background: UnsafePointer<UInt16>
    private let leafWidth: Int
    private let target: UnsafeMutablePointer<Double>
    private let scoreCount: Int
    /// Of each column on the way where the two rows part: which it follows.
    private let sides: UnsafeMutablePointer<Side>
    /// The columns on the way where the two rows part.
    private let parted: UnsafeMutablePointer<Int>

    private enum Side: UInt8 {
        case none, row, background
    }

    /// Adds the contributions of `tree` to `target`, `scoreCount` numbers per column.
    static func add(
        _ tree: ExplainedTree, _ bins: UnsafePointer<UInt16>, background: UnsafePointer<UInt16>, columns: Int,
        leafWidth: Int, to target: UnsafeMutablePointer<Double>, scoreCount: Int
    ) {
        withUnsafeTemporaryAllocation(of: Side.self, capacity: columns + 1) { sides in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: tree.depth + 1) { parted in
                sides.initialize(repeating: .none)
                guard let sides = sides.baseAddress, let parted = parted.baseAddress else { return }
                let walk = InterventionalContributions(
                    tree: tree, bins: bins, background: background, leafWidth: leafWidth, target: target,
                    scoreCount: scoreCount, sides: sides, parted: parted)
                walk.visit(0, ofRow: 0, ofBackground: 0)
            }
        }
    }

    private func visit(_ start: Int, ofRow: Int, ofBackground: Int) {
        var index = start
        while true {
            let node = tree.tree.nodes[index]
            if node.kind == .leaf { return addLeaf(Int(node.next), ofRow, ofBackground) }
            let place = Int(node.place)
            let (rowRight, backgroundRight) = tree.tree.sets.withUnsafeBufferPointer { sets in
                (
                    ForestTree.goesRight(node, bins[place], sets.baseAddress),
                    ForestTree.goesRight(node, background[place], sets.baseAddress)
                )
            }
            let right = Int(node.next)
            if rowRight == backgroundRight || sides[place] != .none {
                let isRight = sides[place] == .background ? backgroundRight : rowRight
                index = isRight ? right : index + 1
                continue
            }
            parted[ofRow + ofBackground] = place
            sides[place] = .row
            visit(rowRight ? right : index + 1, ofRow: ofRow + 1, ofBackground: ofBackground)
            sides[place] = .background
            visit(backgroundRight ? right : index + 1, ofRow: ofRow, ofBackground: ofBackground + 1)
            sides[place] = .none
            return
        }
    }

    private func addLeaf(_ leaf: Int, _ ofRow: Int, _ ofBackground: Int) {
        let count = ofRow + ofBackground
        guard count > 0 else { return }
        let gain = ofRow > 0 ? Self.weight(ofRow - 1, of: count) : 0
        let loss = ofBackground > 0 ? Self.weight(ofRow, of: count) : 0
        for position in 0..<count {
            let place = parted[position]
            let weight = sides[place] == .row ? gain : -loss
            let scores = target + place * scoreCount + tree.firstScore
            for index in 0..<leafWidth {
                scores[index] += weight * Double(tree.tree.values[leaf * leafWidth + index])
            }
        }
    }

    /// k!(n − k − 1)!/n!, the share of the orders of n columns in which k certain ones come before a certain other
    /// one and the rest after it.
    private static func weight(_ k: Int, of n: Int) -> Double {
        var weight = 1 / Double(n)
        for step in 0..<min(k, n - 1 - k) { weight *= Double(step + 1) / Double(n - 1 - step) }
        return weight
    }
}
