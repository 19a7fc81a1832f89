import MetaLearnersCore
import Testing

@Suite("Warnings of datasets")
struct DatasetWarningTests {
    private static let rows = 400
    private let arms = (0..<rows).map { Int32(($0 * 7) % 10 < 3 ? 1 : 0) }
    private let outcome: [Double]
    private let noise: [Double]

    init() {
        var stream = RandomStream(seed: 8)
        outcome = (0..<Self.rows).map { _ in stream.uniform() }
        noise = (0..<Self.rows).map { _ in stream.uniform() }
    }

    private func warnings(
        _ columns: [Column] = [], arms: [Int32]? = nil, weights: [Double]? = nil, clusters: [Int32]? = nil,
        propensities: [[Double]]? = nil
    ) throws -> [String] {
        try CausalDataset(
            covariates: Table([Column("x", noise)] + columns, rowCount: Self.rows),
            treatment: Treatment(arms: arms ?? self.arms, labels: ["a", "b"]), outcome: Outcome(outcome),
            weights: weights, clusters: clusters, knownPropensities: propensities
        ).warnings
    }

    private func constant(_ share: Double) -> [[Double]] {
        [1 - share, share].map { [Double](repeating: $0, count: Self.rows) }
    }

    @Test("Sound data give none")
    func sound() throws {
        #expect(try warnings().isEmpty)
        #expect(try warnings(weights: noise.map { $0 + 0.1 }, propensities: constant(0.3)).isEmpty)
    }

    @Test("An arm of fewer than 20 rows is named, by the rows that count")
    func smallArms() throws {
        let few = (0..<Self.rows).map { Int32($0 < 10 ? 1 : 0) }
        #expect(try warnings(arms: few).contains { $0.contains("arm 'b' has only 10 rows") })
        var weights = [Double](repeating: 1, count: Self.rows)
        for row in arms.indices.filter({ arms[$0] == 1 }).dropFirst(19) { weights[row] = 0 }
        #expect(
            try warnings(weights: weights).contains { $0.contains("arm 'b' has only 19 rows with a weight") })
    }

    @Test("A weight that holds most of the total or of its arm is named with its row")
    func heavyWeights() throws {
        var weights = [Double](repeating: 1, count: Self.rows)
        weights[7] = 9 * 399  // Nine tenths of the total.
        #expect(
            try warnings(weights: weights).contains {
                $0.hasPrefix("weight: row index 7 alone holds 90 % of the total weight")
            })
        weights[7] = 2
        #expect(try warnings(weights: weights).isEmpty)
    }

    @Test("Weights so unequal that they say next to nothing are named with what they say")
    func unequalWeights() throws {
        let weights = (0..<Self.rows).map { $0 % 40 < 2 ? 50.0 : 0.1 }
        let found = try warnings(weights: weights)
        #expect(found.contains { $0.contains("of arm 'b' have weights so unequal") }, "\(found)")
        #expect(try warnings(weights: (0..<Self.rows).map { $0 % 2 == 0 ? 2 : 1 }).isEmpty)
    }

    @Test(
        "Known propensities of the other arm, or of other rows, predict the arms worse than their shares do")
    func foreignPropensities() throws {
        // Of rows with an even number four fifths are in arm b, of the others one fifth.
        let shares = (0..<Self.rows).map { $0 % 2 == 0 ? 0.8 : 0.2 }
        let arms = (0..<Self.rows).map { Int32($0 % 10 < 8 && $0 % 2 == 0 || $0 % 10 == 1 ? 1 : 0) }
        let own = [shares.map { 1 - $0 }, shares]
        #expect(try warnings(arms: arms, propensities: own).isEmpty)
        for clusters in [nil, (0..<Self.rows).map { Int32($0 / 10) }] {
            let found = try warnings(arms: arms, clusters: clusters, propensities: own.reversed())
            #expect(found.count == 1 && found[0].contains("worse than each arm's share"), "\(found)")
        }
    }

    @Test("Known propensities near 0, of the wrong size, and in the wrong order are warned of")
    func knownPropensities() throws {
        var tiny = constant(0.3)
        tiny[1][5] = 1e-12
        tiny[0][5] = 1 - 1e-12
        #expect(
            try warnings(propensities: tiny).contains {
                $0.contains(
                    "1 of 400 rows have a known propensity below 0.001 for arm 'b' (1e-12 in row index 5)")
            })
        let turned = try warnings(propensities: constant(0.7))
        #expect(turned.count == 1)
        #expect(
            turned[0].hasPrefix(
                "propensity: arm 'a' has 70 % of the rows, and its known propensities say 30 %; in another order they would fit"
            ))
        let wrong = try warnings(propensities: constant(0.5))
        #expect(wrong.count == 1 && wrong[0].contains("known propensities say 50 %: effects"))
        // Of a dozen clusters assigned as a whole, 30 % for 50 % is no surprise.
        #expect(
            try warnings(clusters: (0..<Self.rows).map { Int32($0 % 12) }, propensities: constant(0.5))
                .isEmpty)
    }

    @Test("A covariate that is the outcome or the treatment is named, whatever its units and labels")
    func disguises() throws {
        let celsius = Column("fahrenheit", outcome.map { $0 * 1.8 + 32 })
        let label = Column("group", categories: arms.map { $0 == 1 ? "late" : "early" })
        let code = Column("code", arms.map { $0 == 1 ? 7 : 3 })
        let almost = Column("almost", outcome.indices.map { outcome[$0] + ($0 == 200 ? 1e-3 : 0) })
        let found = try warnings([celsius, label, code, almost])
        #expect(found.count == 3)
        #expect(found.contains { $0.hasPrefix("column 'fahrenheit' is the outcome in other units") })
        #expect(found.contains { $0.hasPrefix("column 'group' says which arm a row is in") })
        #expect(found.contains { $0.hasPrefix("column 'code' says which arm a row is in") })
    }

    @Test("Numbers that name rows are used, with a warning: by their name, or because they count or rise")
    func numericIdentifiers() throws {
        let count = (0..<Self.rows).map { Double((($0 * 149) % Self.rows) + 1000) }
        let rising = (0..<Self.rows).map { Double($0 * $0) }
        let repeated = (0..<Self.rows).map { Double($0 % 17) }
        let measured = (0..<Self.rows).map { Double($0) / 7 }
        let cases: [(String, [Double], Bool)] = [
            ("a", count, true), ("b", rising, true), ("c", rising.reversed(), true), ("d", repeated, false),
            ("e", measured, false), ("user_id", repeated, true), ("schoolid", repeated, true),
            ("userId", repeated, true), ("ID", repeated, true), ("index", repeated, true),
            ("paid", repeated, false), ("acid", repeated, false), ("covid", repeated, false),
            ("id", arms.map(Double.init).map { $0 * 2 }, false), ("id", measured, false),
        ]
        for (name, values, expected) in cases {
            let found = try warnings([Column(name, values)]).filter { $0.contains("is used as a number") }
            #expect(found.count == (expected ? 1 : 0), "\(name)")
        }
    }

    @Test(
        "A text column with about as many levels as rows is left out with a warning, unless it is insisted on"
    )
    func textIdentifiers() throws {
        func make(levels: Int, _ keys: [(String, SpecValue)] = []) throws -> CausalDataset {
            let table = try Table([
                Column("w", arms.map(Double.init)), Column("y", outcome), Column("x", noise),
                Column("name", categories: (0..<Self.rows).map { "n\($0 % levels)" }),
            ])
            return try CausalDataset(
                table, DataSpec(.object(SpecObject([("treatment", "w"), ("outcome", "y")] + keys))))
        }
        let data = try make(levels: Self.rows)
        #expect(data.covariates.columns.map(\.name) == ["x"])
        #expect(
            data.warnings == [
                "column 'name' is left out: its 400 different texts in 400 rows look like identifiers, from which nothing can be learned; name it under data.exclude, or under data.categorical to use it nonetheless"
            ])
        #expect(data.everyColumn.columns.map(\.name) == ["x", "name"])
        #expect(try make(levels: 201).covariates.columns.count == 1)
        #expect(try make(levels: 200).covariates.columns.count == 2)
        let insisted = try make(levels: Self.rows, [("categorical", "name")])
        #expect(insisted.covariates.columns.count == 2 && insisted.warnings.isEmpty)
        #expect(try make(levels: Self.rows, [("exclude", "name")]).warnings.isEmpty)
        // A few rows have as many names as they have, and that is no sign.
        let small = try Table([
            Column("w", (0..<20).map { Double($0 % 2) }), Column("y", (0..<20).map { Double($0 % 3) }),
            Column("name", categories: (0..<20).map { "n\($0)" }),
        ])
        let few = try CausalDataset(small, DataSpec(["treatment": "w", "outcome": "y"]))
        #expect(few.covariates.columns.count == 1)
    }

    @Test("Named covariates are the only ones; each must be there and free")
    func covariates() throws {
        let table = try Table([
            Column("w", arms.map(Double.init)), Column("y", outcome), Column("a", noise), Column("b", noise),
            Column("c", noise),
        ])
        func make(_ covariates: SpecValue, _ keys: [(String, SpecValue)] = []) throws -> CausalDataset {
            let keys = [("treatment", "w"), ("outcome", "y"), ("covariates", covariates)] + keys
            return try CausalDataset(
                table, DataSpec(.object(SpecObject(keys)), at: SpecPath.root.appending("data")))
        }
        #expect(try make(["c", "a"]).covariates.columns.map(\.name) == ["a", "c"])
        #expect(try make([]).covariates.columns.count == 3)
        func message(_ covariates: SpecValue, _ keys: [(String, SpecValue)] = []) -> String? {
            #expect(throws: MetaLearnersError.self) { try make(covariates, keys) }?.description
        }
        #expect(message(["aa"]) == "data.covariates: there is no column 'aa'; did you mean 'a'?")
        #expect(
            message(["a", "y"])
                == "data.covariates: 'y' is also named by data.outcome; a column plays one part")
        #expect(message(["a"], [("exclude", "a")])?.contains("data.exclude") == true)
    }

    @Test("Values that a spec calls missing are missing, in numbers and in levels")
    func missingValues() throws {
        let spec = try DataSpec([
            "treatment": "w", "outcome": "y", "missing_values": [-9, "refused", 99.5],
            "missing_outcome": "drop",
        ])
        #expect(spec.missingValues == ["-9", "refused", "99.5"])
        #expect(try DataSpec(spec.specValue) == spec)
        let table = try Table([
            Column("w", (0..<40).map { Double($0 % 2) }),
            Column("y", (0..<40).map { $0 == 3 ? -9 : Double($0 % 5) }),
            Column("n", (0..<40).map { $0 == 1 ? 99.5 : Double($0 % 3) }),
            Column("k", StridedValues((0..<40).map { $0 == 2 ? -9 : Int32($0 % 3) })),
            Column("t", categories: (0..<40).map { $0 % 4 == 0 ? "refused" : ["yes", "no"][$0 % 2] }),
        ])
        let data = try CausalDataset(table, spec)
        #expect(data.rowCount == 39)
        #expect(data.covariates.column(named: "n")?.values.doubles()[1].isNaN == true)
        #expect(data.covariates.column(named: "k")?.values.doubles()[2].isNaN == true)
        #expect(data.covariates.column(named: "k")?.values.doubles()[1] == 1)
        let text = try #require(data.covariates.column(named: "t"))
        #expect(text.levels == ["no", "yes"])
        #expect(text.codes()?.prefix(3) == [-1, 0, 1])
        #expect(throws: MetaLearnersError.self) { try DataSpec(["missing_values": [true]]) }
    }

    @Test(
        "Outcomes that are missing more often in one arm are told of, beyond chance and for text and number arms alike"
    )
    func attrition() throws {
        func warnings(_ missing: (Int, Int32) -> Bool, named: Bool) throws -> [String] {
            let outcome = (0..<Self.rows).map { missing($0, arms[$0]) ? Double.nan : self.outcome[$0] }
            let treatment =
                named
                ? Column("w", codes: StridedValues(arms), levels: ["a", "b"])
                : Column("w", arms.map { Double($0) })
            return try CausalDataset(
                Table([Column("x", noise), treatment, Column("y", outcome)]),
                DataSpec(["treatment": "w", "outcome": "y", "missing_outcome": "drop"])
            ).warnings.filter { $0.contains("outcomes are missing of") }
        }
        for named in [true, false] {
            let (first, second) = named ? ("a", "b") : ("0", "1")
            #expect(
                try warnings({ row, arm in arm == 1 && row % 3 == 0 }, named: named).first?.hasPrefix(
                    "w: outcomes are missing of 35.0 % of arm '\(second)' and of 0.0 % of arm '\(first)': ")
                    ?? false)
            #expect(try warnings({ row, _ in row % 3 == 0 }, named: named).isEmpty)
            #expect(try warnings({ row, arm in arm == 1 && row == 8 }, named: named).isEmpty)
        }
    }
}
