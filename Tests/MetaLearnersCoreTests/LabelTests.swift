import MetaLearnersCore
import Testing

@Suite("Labels and codes")
struct LabelTests {
    /// A column of 64-bit integers, as C has them.
    private func integers(_ name: String, _ values: [Int64]) throws -> Column {
        Column(
            name,
            try StridedValues(ColumnMemory(copying: values), element: .int64, count: values.count, stride: 8))
    }

    private func make(_ columns: [Column], _ spec: SpecValue) throws -> CausalDataset {
        try CausalDataset(Table(columns), DataSpec(spec, at: SpecPath.root.appending("data")))
    }

    @Test("Arms, clusters, levels and classes of 64-bit integers are told apart, and printed as they are")
    func wideIntegers() throws {
        let base: Int64 = 1 << 53
        let rows = 60
        let arms = try integers("w", (0..<rows).map { base + Int64($0 % 3) })
        let y = Column("y", (0..<rows).map { Double($0 % 7) })
        let clusters = try integers("g", (0..<rows).map { 1_700_000_000_000_000_000 + 64 * Int64($0 / 4) })
        let zone = try integers("zone", (0..<rows).map { Int64.min + Int64($0 % 2) })
        let data = try make(
            [arms, y, clusters, zone],
            ["treatment": "w", "outcome": "y", "cluster": "g", "categorical": "zone"])
        #expect(data.treatment.labels == ["9007199254740992", "9007199254740993", "9007199254740994"])
        #expect(data.treatment.counts == [20, 20, 20])
        #expect(Set(data.clusters ?? []).count == 15)
        #expect(
            data.covariates.column(named: "zone")?.levels == ["-9223372036854775808", "-9223372036854775807"])
        let classes = try make(
            [
                try integers("y", (0..<rows).map { base + Int64($0 % 3) }),
                Column("w", (0..<rows).map { Double($0 % 2) }),
            ],
            ["treatment": "w", "outcome": "y", "outcome_type": "classes"])
        #expect(
            classes.outcome.kind.effectClasses == [
                "9007199254740992", "9007199254740993", "9007199254740994",
            ])
        // A model's levels are found again by the same integers.
        let schema = CovariateSchema(data.covariates)
        let (aligned, warnings) = try schema.align(Table([try integers("zone", [.min + 1, .min, 5])]))
        #expect(aligned.columns[0].codes() == [1, 0, -1])
        #expect(warnings.count == 1)
    }

    @Test(
        "A code beyond the levels is refused with its row, in training and in prediction; negative is missing"
    )
    func codesOutOfRange() throws {
        let levels = ["a", "b", "c"]
        let w = Column("w", (0..<6).map { Double($0 % 2) })
        let y = Column("y", (0..<6).map(Double.init))
        let good = Column("g", codes: StridedValues([0, 1, 2, -1, -7, 0] as [Int32]), levels: levels)
        let spec: SpecValue = ["treatment": "w", "outcome": "y"]
        let data = try make([w, y, good], spec)
        #expect(data.covariates.columns[0].codes() == [0, 1, 2, -1, -1, 0])
        // Codes from 1, as R and Julia have them: the last level gives them away.
        let shifted = Column("g", codes: StridedValues([1, 2, 1, 2, 3, 1] as [Int32]), levels: levels)
        let message =
            "column 'g': row index 4 has code 3, and the 3 levels have codes 0 to 2; "
            + "count codes from 0 (subtract 1 from those of R and Julia); a negative code is missing"
        let fit = #expect(throws: MetaLearnersError.self) { try make([w, y, shifted], spec) }
        #expect(fit?.description == message)
        #expect(fit?.kind == .invalidData)
        let predict = #expect(throws: MetaLearnersError.self) {
            try CovariateSchema(data.covariates).align(Table([shifted]))
        }
        #expect(predict?.description == message)
        #expect(throws: MetaLearnersError.self) {
            try CausalDataset(
                covariates: Table([shifted]), treatment: data.treatment, outcome: data.outcome)
        }
        for part in ["treatment", "outcome", "cluster"] {
            var object = SpecObject([("treatment", "w"), ("outcome", "y")])
            object[part] = "g"
            let error = #expect(throws: MetaLearnersError.self) {
                try make([w, y, shifted], .object(object))
            }
            #expect(error?.problem.contains("has code 3") == true, "\(part)")
        }
    }

    private func treatment(_ labels: [String], rows: Int = 90, _ extra: SpecObject = SpecObject()) throws
        -> CausalDataset
    {
        var spec = SpecObject([("treatment", "w"), ("outcome", "y")])
        for key in extra.keys { spec[key] = extra[key] }
        return try make(
            [
                Column("w", categories: (0..<rows).map { labels[$0 % labels.count] }),
                Column("y", (0..<rows).map { Double(($0 * 7) % 11) }),
            ], .object(spec))
    }

    @Test("Labels that are numbers are in the numbers' order, whatever the order of a category's levels")
    func numbersAsLabels() throws {
        let rows = 40
        for (levels, ordered) in [
            (["1", "0"], ["0", "1"]), (["10", "9"], ["9", "10"]),
            (["1.5", "-2", "1e1"], ["-2", "1.5", "1e1"]),
            (["9007199254740993", "9007199254740992"], ["9007199254740992", "9007199254740993"]),
        ] {
            let codes = StridedValues((0..<rows).map { Int32($0 % levels.count) })
            let number = Column("y", (0..<rows).map { Double($0 % 7) })
            let data = try make(
                [Column("w", codes: codes, levels: levels), number], ["treatment": "w", "outcome": "y"])
            #expect(data.treatment.labels == ordered)
            let arms = data.treatment.arms
            #expect((0..<rows).allSatisfy { ordered[Int(arms[$0])] == levels[$0 % levels.count] })
            #expect(!data.warnings.contains { $0.contains("control") })
            let classes = try make(
                [
                    Column("y", codes: codes, levels: levels),
                    Column("w", (0..<rows).map { Double($0 / 2 % 2) }),
                ],
                ["treatment": "w", "outcome": "y", "outcome_type": levels.count > 2 ? "classes" : "auto"])
            #expect(
                classes.outcome.kind
                    == (levels.count > 2 ? .classes(labels: ordered) : .binary(labels: ordered)))
            #expect(
                (0..<rows).allSatisfy {
                    ordered[Int(classes.outcome.values[$0])] == levels[$0 % levels.count]
                })
        }
        // One label that is no number, and all stand as they are.
        let mixed = try make(
            [
                Column("w", codes: StridedValues((0..<rows).map { Int32($0 % 2) }), levels: ["b", "1"]),
                Column("y", (0..<rows).map { Double($0 % 7) }),
            ], ["treatment": "w", "outcome": "y"])
        #expect(mixed.treatment.labels == ["b", "1"])
    }

    @Test("Without a named control the arm that says so is it, in any case, and a warning tells")
    func obviousControls() throws {
        let cases: [([String], String)] = [
            (["Treated", "control"], "control"), (["A", "Placebo"], "Placebo"),
            (["T", "Untreated "], "Untreated "),
            (["Active", "NONE"], "NONE"), (["Yes", "no"], "no"), (["TRUE", "false"], "false"),
            (["10 mg", "0"], "0"), (["Drug", "none", "placebo"], "placebo"),
        ]
        for (labels, control) in cases {
            let data = try treatment(labels)
            #expect(data.treatment.labels[0] == control, "\(labels)")
            let warned = data.warnings.filter {
                $0.contains("control is taken to be '\(control)', by its name")
            }
            #expect(warned.count == (labels.sorted()[0] == control ? 0 : 1), "\(data.warnings)")
        }
        // Where the order agrees with the name there is nothing to tell; where no name helps there is.
        #expect(try treatment(["control", "treated"]).warnings.isEmpty)
        #expect(
            try treatment(["new", "old"]).warnings == [
                "treatment 'w': the control is taken to be 'new', the first label in order; name it with data.control"
            ])
        let named = try treatment(["new", "old"], SpecObject([("control", "old")]))
        #expect(named.treatment.labels == ["old", "new"] && named.warnings.isEmpty)
        // Numbers keep the lowest.
        #expect(try treatment(["0", "1"]).warnings.isEmpty)
        #expect(try treatment(["-1", "2", "10"].shuffled()).treatment.labels.contains("-1"))
    }

    @Test("Of two texts as an outcome the plain 'no' is 0, and a warning says what counts as 1")
    func textOutcomes() throws {
        func outcome(_ labels: [String]) throws -> CausalDataset {
            try make(
                [
                    Column("w", (0..<80).map { Double($0 % 2) }),
                    Column("y", categories: (0..<80).map { labels[($0 / 2) % 2] }),
                ], ["treatment": "w", "outcome": "y"])
        }
        // In alphabetical order 'Yes' would be 0.
        let turned = try outcome(["Yes", "no"])
        #expect(turned.outcome.kind == .binary(labels: ["no", "Yes"]))
        #expect(turned.outcome.values.prefix(4) == [1, 1, 0, 0])
        #expect(
            turned.warnings.count == 1 && turned.warnings[0].contains("probability of 'Yes' (counted as 1)"))
        #expect(try outcome(["no", "yes"]).warnings.isEmpty)
        #expect(try outcome(["died", "survived"]).warnings[0].contains("probability of 'survived'"))
    }

    @Test("Labels that differ only in case or blanks are warned of: arms, classes and levels")
    func lookalikes() throws {
        let arms = try treatment(["Yes", "no", "yes"])
        #expect(
            arms.warnings.contains(
                "treatment 'w': 'Yes' and 'yes' differ only in case or blanks, and count as different arms"))
        let data = try make(
            [
                Column("w", (0..<80).map { Double($0 % 2) }),
                Column("y", categories: (0..<80).map { ["a", "b", "A "][$0 % 3] }),
                Column("city", categories: (0..<80).map { ["Ulm", "Bonn", " ulm"][$0 % 3] }),
            ], ["treatment": "w", "outcome": "y"])
        #expect(data.warnings.contains { $0.hasPrefix("outcome 'y': 'A ' and 'a' differ") })
        #expect(data.warnings.contains { $0.hasPrefix("column 'city': ' ulm' and 'Ulm' differ") })
    }

    @Test(
        "Labels that are one number in several notations are warned of, and longer numbers than doubles are exact are not"
    )
    func sameNumbers() throws {
        func found(_ labels: [String]) throws -> [String] {
            try treatment(labels).warnings.filter { $0.contains("count as different arms") }
        }
        for (labels, list) in [
            (["0", "1", "01", "b"], "'01' and '1'"), (["1", "1.0", "b"], "'1' and '1.0'"),
            (["x", ".5", "+0.50"], "'+0.50' and '.5'"), (["x", "-0", "0", "00."], "'0' and '-0' and '00.'"),
            (["01", "1 ", "b"], "'01' and '1 '"),
        ] {
            #expect(
                try found(labels) == [
                    "treatment 'w': \(list) are the same number, and count as different arms"
                ])
        }
        for labels in [
            ["9007199254740992", "9007199254740993", "x"], ["1", "-1", "x"], ["1.5", "15", "x"],
            [".", "0", "x"],
            ["1.2.3", "1.2.30"], ["1 0", "10", "x"], ["1e3", "1000", "x"],
        ] { #expect(try found(labels).isEmpty, "\(labels)") }
    }

    @Test("Levels of covariates are taken for numbers only where all of them are")
    func versions() throws {
        func found(_ levels: [String]) throws -> [String] {
            try make(
                [
                    Column("w", (0..<80).map { Double($0 % 2) }), Column("y", (0..<80).map(Double.init)),
                    Column("k", categories: (0..<80).map { levels[$0 % levels.count] }),
                ], ["treatment": "w", "outcome": "y"]
            ).warnings.filter { $0.contains("count as different levels") }
        }
        #expect(
            try found(["7", "007", "8"]) == [
                "column 'k': '007' and '7' are the same number, and count as different levels"
            ])
        #expect(try found(["1.1", "1.10", "1.10.2"]).isEmpty)
        #expect(try found(["1.1", "1.10", "b", "B"]).map { $0.prefix(23) } == ["column 'k': 'B' and 'b'"])
    }

    @Test("A treatment of many numbers looks continuous; many arms of whole numbers with many rows do not")
    func continuous() throws {
        func error(_ values: [Double]) -> String? {
            let columns = [Column("disea", values), Column("y", values.map { $0 * 2 })]
            do {
                _ = try make(columns, ["treatment": "disea", "outcome": "y"])
                return nil
            } catch let error as MetaLearnersError { return error.description } catch { return "\(error)" }
        }
        #expect(
            error((0..<2000).map { Double($0 % 200) / 10 })
                == "treatment 'disea': has 200 different numbers, from 0 to 19.9: it looks continuous; treatments are arms here: name another column, or group the values into a few"
        )
        #expect(error((0..<2000).map { Double($0 % 200) })?.contains("looks continuous") == true)
        #expect(error((0..<2000).map { Double($0 % 50) }) == nil)
    }
}
