import MetaLearnersKit

/// One law, one number of rows: a row of the table.
struct Cell: Sendable {
    /// The part of the study it belongs to.
    enum Group: String, CaseIterable, Sendable {
        /// Nie & Wager's setups.
        case nieWager = "nie-wager"
        /// Laws that nothing was tuned on.
        case other
        /// Laws whose effect is the same for everybody.
        case constant
        /// Some of the laws, on so many rows that `auto` takes its light recipe.
        case large
    }

    /// Rows to learn from, and fresh rows with their effects.
    struct Draw {
        let training: SyntheticDataset
        let test: Table
        let testEffects: [Double]
    }

    /// How many fresh rows there are.
    static let testRows = 2000

    let name: String
    let group: Group
    let draw: @Sendable (_ run: Int) throws -> Draw

    /// Every cell.
    static let all: [Cell] = nieWager + others

    private static var nieWager: [Cell] {
        var cells: [Cell] = []
        for setup in NieWagerSetup.allCases {
            for rows in [500, 1000] {
                for columns in [6, 12] {
                    for (label, noise) in [("0.5", 0.5), ("1", 1), ("2", 2), ("4", 4)] {
                        let name = "\(setup.rawValue)-n\(rows)-p\(columns)-s\(label)"
                        cells.append(
                            Cell(name: name, group: .nieWager) { run in
                                func data(_ rows: Int, _ part: UInt64) throws -> SyntheticDataset {
                                    try SyntheticDataset.nieWager(
                                        setup, rows: rows, columns: columns, noise: noise,
                                        seed: seed(name, run, part))
                                }
                                let fresh = try data(testRows, 1)
                                return Draw(
                                    training: try data(rows, 0), test: fresh.covariates,
                                    testEffects: fresh.effects[0])
                            })
                    }
                }
            }
        }
        return cells
    }

    private static var others: [Cell] {
        var cells: [Cell] = []
        for law in Law.allCases {
            let isConstant = law == .constant || law == .zero
            for rows in law == .rare ? [2000, 4000, 30_000] : [500, 1000, 2000, 30_000] {
                let name = "\(law.rawValue)-n\(rows)"
                let group = rows > 20_000 ? Group.large : isConstant ? .constant : .other
                cells.append(
                    Cell(name: name, group: group) { run in
                        let fresh = try data(law, rows: testRows, seed: seed(name, run, 1))
                        return Draw(
                            training: try data(law, rows: rows, seed: seed(name, run, 0)),
                            test: fresh.covariates, testEffects: fresh.effects[0])
                    })
            }
        }
        return cells
    }

    /// Rows of a law, with all of its columns or, of `sparse`, so many.
    static func data(_ law: Law, rows: Int, columns: Int? = nil, seed: UInt64) throws -> SyntheticDataset {
        var stream = SyntheticDataset.Stream.covariates.open(seed)
        let x = (0..<rows).map { _ in Array(law.covariates(&stream).prefix(columns ?? .max)) }
        let treated = x.map(law.propensity)
        let control = x.map(law.control)
        return try SyntheticDataset.draw(
            rows: x, propensities: [treated.map { 1 - $0 }, treated],
            armOutcomes: [control, zip(x, control).map { law.effect($0) + $1 }], noise: law.noise,
            binary: law.isBinary, seed: seed)
    }

    /// The seed of a part of a run: of the cell's name, so that no two cells share their draws.
    private static func seed(_ name: String, _ run: Int, _ part: UInt64) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return RandomStream.derivedSeed(hash, UInt64(run), part)
    }
}
