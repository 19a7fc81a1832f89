/// Columns of few bins that share a code, so that one update of a histogram serves all of them.
///
/// The code of a row is that of a number whose digits are its bins. Sums by code become sums by column afterwards.
struct JointColumns: Sendable {
    /// A column of the code.
    struct Member: Sendable {
        let feature: Int
        /// The first of its cells within a histogram.
        let offset: Int
        /// The least bin that a row is in.
        let firstBin: Int
        /// How many bins there are from that on.
        let radix: Int
    }

    /// The columns, that of the highest digit first.
    let members: [Member]
    /// The first of the code's cells within a histogram.
    let offset: Int

    /// How many codes there are.
    var codeCount: Int { members.reduce(1) { $0 * $1.radix } }

    /// Adds up the cells of the codes to those of the columns, which are zero before; the codes' are used up.
    func expand<Cell: HistogramCell>(_: Cell.Type, _ histogram: UnsafeMutablePointer<Cell.Sum>) {
        let cells = histogram + offset
        var rest = codeCount
        for (index, member) in members.enumerated() {
            let target = histogram + member.offset + member.firstBin
            if index == members.count - 1 {
                for digit in 0..<member.radix { target[digit] = cells[digit] }
                return
            }
            // Each stretch of codes with the same highest digit is added to the first of them: what is left there
            // are the sums by the other digits.
            rest /= member.radix
            for digit in 0..<member.radix {
                let stretch = cells + digit * rest
                var sum = Cell.zero
                for code in 0..<rest { sum = Cell.add(sum, stretch[code]) }
                target[digit] = sum
                if digit > 0 { for code in 0..<rest { cells[code] = Cell.add(cells[code], stretch[code]) } }
            }
        }
    }
}
