/// What a leaf of a tree gives to the columns on the way to it, as a function of which of them the explained row satisfies.
///
/// The leaf's value v is reached by a set S of columns with the probability Π_j (a_j if j ∈ S else r_j), where a_j says whether
/// the row satisfies the splits by j, and r_j is what stands for an absent column:
///
/// - path-dependent, the share of the training weight that goes the way. The Shapley value of i in this product game is
///   v · (a_i − r_i) · ∫₀¹ Π_{j≠i} (r_j(1 − t) + a_j t) dt, a polynomial of degree d − 1 in t, so that ⌈d/2⌉ nodes integrate it
///   exactly. All terms are positive: there is no unwinding that could lose digits (compare Lundberg et al. 2018, arXiv
///   1802.03888, algorithm 2).
/// - interventional, whether a background row satisfies the splits by j; the mean over the background rows. Rows that satisfy the
///   same columns count once, with their weight (Lundberg et al. 2020, doi 10.1038/s42256-019-0138-9).
///
/// What a leaf gives depends on the row by its mask a alone, so that a table of all masks serves every row (Yang 2021, Fast
/// TreeSHAP, arXiv 2109.09847, version 2).
struct LeafGame: Sendable {
    /// What absent columns are.
    enum Absent: Sendable {
        /// Shares of the training weight, one for each column.
        case shares([Double])
        /// The masks of background rows, ascending, with their shares of the rows.
        case masks([(mask: UInt64, weight: Double)])
    }

    let value: Double
    /// The different columns on the way, in the order in which they come first; bit i of a mask is of the column i.
    let columns: [Int]
    let absent: Absent

    /// The mask of a row that satisfies every split.
    var full: UInt64 { columns.count == 64 ? .max : (1 << UInt64(columns.count)) - 1 }

    /// The expected value: v · P(reached by absent columns alone).
    var expectation: Double {
        switch absent {
        case .shares(let shares): value * shares.reduce(1, *)
        case .masks(let masks): value * masks.reduce(0) { $1.mask == full ? $0 + $1.weight : $0 }
        }
    }

    /// Writes what each column gets where the row satisfies those of `mask`.
    ///
    /// - Complexity: path-dependent O(d²); interventional O(d · different masks of the background).
    func shapley(_ mask: UInt64, _ rules: [GaussLegendre], to target: UnsafeMutablePointer<Double>) {
        for index in columns.indices { target[index] = 0 }
        switch absent {
        case .shares(let shares): addPathDependent(mask, shares, rules, target)
        case .masks(let masks): addInterventional(mask, masks, target)
        }
    }

    private func addPathDependent(
        _ mask: UInt64, _ shares: [Double], _ rules: [GaussLegendre], _ target: UnsafeMutablePointer<Double>
    ) {
        let count = columns.count
        // A way that neither the row nor the training rows take counts for nothing.
        for index in 0..<count where mask >> UInt64(index) & 1 == 0 && shares[index] == 0 { return }
        let rule = rules[(count + 1) / 2]
        for (t, weight) in zip(rule.nodes, rule.weights) {
            var product = weight * value
            for index in 0..<count {
                product *=
                    mask >> UInt64(index) & 1 == 1
                    ? shares[index] + (1 - shares[index]) * t : shares[index] * (1 - t)
            }
            for index in 0..<count {
                // (a − r) / (r(1 − t) + a t): −1/(1 − t) where the row does not go the way.
                let isPresent = mask >> UInt64(index) & 1 == 1
                let factor =
                    isPresent
                    ? (1 - shares[index]) / (shares[index] + (1 - shares[index]) * t) : -1 / (1 - t)
                target[index] += product * factor
            }
        }
    }

    private func addInterventional(
        _ mask: UInt64, _ masks: [(mask: UInt64, weight: Double)], _ target: UnsafeMutablePointer<Double>
    ) {
        let full = self.full
        // Columns that the row does not satisfy: the background row has to.
        let ofBackground = full & ~mask
        for other in masks where other.mask & ofBackground == ofBackground {
            let ofRow = mask & ~other.mask
            let (gains, losses) = (ofRow.nonzeroBitCount, ofBackground.nonzeroBitCount)
            guard gains + losses > 0 else { continue }
            let scale = value * other.weight
            let gain = gains > 0 ? scale * Self.weight(gains - 1, of: gains + losses) : 0
            let loss = losses > 0 ? scale * Self.weight(gains, of: gains + losses) : 0
            var (up, down) = (ofRow, ofBackground)
            while up != 0 {
                target[up.trailingZeroBitCount] += gain
                up &= up - 1
            }
            while down != 0 {
                target[down.trailingZeroBitCount] -= loss
                down &= down - 1
            }
        }
    }

    /// k!(n − k − 1)!/n!, the share of the orders of n columns in which k certain ones come before a certain other one and the
    /// rest after it.
    static func weight(_ k: Int, of n: Int) -> Double {
        var weight = 1 / Double(n)
        for step in 0..<min(k, n - 1 - k) { weight *= Double(step + 1) / Double(n - 1 - step) }
        return weight
    }
}
