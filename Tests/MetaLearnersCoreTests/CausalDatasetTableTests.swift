import MetaLearnersCore
import Testing

@Suite("Datasets from tables")
struct CausalDatasetTableTests {
    private let table: Result<Table, any Error> = Result {
        try Table([
            Column("w", [0, 1, 0, 1, 1]), Column("y", [1, 2, 3, 4, 5.5]), Column("x", [1, 2, 3, 4, 5]),
            Column("arm", categories: ["none", "drug", "none", "drug", "placebo"]),
            Column("school", [10, 10, 20, 20, 30]),
            Column("answer", categories: ["yes", "no", "no", "yes", "no"]),
            Column("e", [0.5, 0.4, 0.3, 0.2, 0.1]), Column("weight", [1, 1, 2, 2, 1]),
            Column("gap", [1, .nan, 3, .infinity, 5]),
        ])
    }

    private func make(_ spec: SpecValue) throws -> CausalDataset {
        try CausalDataset(table.get(), DataSpec(spec, at: SpecPath.root.appending("data")))
    }

    private func message(_ spec: SpecValue) -> String? {
        #expect(throws: MetaLearnersError.self) { try make(spec) }?.description
    }

    @Test("Every column that plays no other part is a covariate, in the table's order")
    func covariates() throws {
        let data = try make(["treatment": "w", "outcome": "y", "exclude": ["gap", "e"], "weight": "weight"])
        #expect(data.covariates.columns.map(\.name) == ["x", "arm", "school", "answer"])
        #expect(data.weights == [1, 1, 2, 2, 1].map { $0 * (5.0 / 7) })
        #expect(data.outcome.kind == .continuous)
        #expect(data.sourceRows == nil)
        #expect(data.treatment.labels == ["0", "1"])
    }

    @Test("The control is the lowest label, or the one that is named, by text or by number")
    func control() throws {
        let spec: SpecValue = ["treatment": "arm", "outcome": "y", "exclude": "gap"]
        #expect(try make(spec).treatment.labels == ["placebo", "drug", "none"])
        var object = try #require(spec.objectValue)
        object["control"] = "none"
        let named = try make(.object(object))
        #expect(named.treatment.labels == ["none", "drug", "placebo"])
        #expect(named.treatment.arms == [0, 1, 0, 1, 2])
        let exclude: SpecValue = "gap"
        for control in [1, "1", 1.0] as [SpecValue] {
            let data = try make(["treatment": "w", "outcome": "y", "control": control, "exclude": exclude])
            #expect(data.treatment.labels == ["1", "0"])
            #expect(data.treatment.arms == [1, 0, 1, 0, 0])
        }
    }

    @Test("A control that no row has is refused with the nearest label")
    func unknownControl() {
        #expect(
            message(["treatment": "arm", "outcome": "y", "control": "none "])
                == "data.control: no row of 'arm' has the label 'none '; did you mean 'none'?")
        #expect(
            message(["treatment": "w", "outcome": "y", "control": 7])?.contains("known are 0, 1") == true)
    }

    @Test("Treatment and outcome must be named, must be there, and must differ")
    func required() {
        #expect(
            message(["outcome": "y"])
                == "data.treatment: is required; name the column that holds the treatment")
        #expect(message(["treatment": "w"])?.hasPrefix("data.outcome: is required") == true)
        #expect(message(["treatment": "w", "outcome": "w"])?.contains("the same column 'w'") == true)
        for key in ["outcome", "weight", "cluster", "propensity", "exclude", "categorical"] {
            var object = SpecObject([("treatment", "w"), ("outcome", "y")])
            object[key] = "scool"
            #expect(
                message(.object(object)) == "data.\(key): there is no column 'scool'; did you mean 'school'?")
        }
    }

    @Test("Rows without an outcome are refused with a count and the remedy, or dropped with a warning")
    func missingOutcome() throws {
        #expect(
            message(["treatment": "w", "outcome": "gap"])
                == "outcome 'gap': 2 of 5 rows are missing or infinite, the first is row index 1; "
                + "drop them with data.missing_outcome: drop")
        let data = try make([
            "treatment": "arm", "control": "none", "outcome": "gap", "missing_outcome": "drop",
            "weight": "weight",
            "cluster": "school", "exclude": ["e", "w"],
        ])
        #expect(data.sourceRows == [0, 2, 4])
        #expect(data.outcome.values == [1, 3, 5])
        #expect(data.weights == [0.75, 1.5, 0.75])
        #expect(data.clusters == [0, 1, 2])
        #expect(data.covariates.columns.map(\.name) == ["y", "x", "answer"])
        #expect(data.covariates.column(named: "x")?.values.doubles() == [1, 3, 5])
        #expect(data.warnings.first == "2 rows without an outcome were dropped")
        // The arm whose rows were all dropped is an arm no more.
        #expect(data.treatment.labels == ["none", "placebo"])
    }

    @Test("A cluster is never a covariate, not even where categorical lists it")
    func clusters() throws {
        let plain = try make(["treatment": "w", "outcome": "y", "cluster": "school", "exclude": "gap"])
        #expect(plain.covariates.column(named: "school") == nil)
        #expect(plain.clusters == [0, 0, 1, 1, 2])
        let listed = try make([
            "treatment": "w", "outcome": "y", "cluster": "school", "categorical": "school", "exclude": "gap",
        ])
        #expect(listed.covariates.column(named: "school") == nil)
        #expect(
            message(["treatment": "w", "outcome": "y", "cluster": "gap"])?
                .hasPrefix("cluster 'gap': row index 1 is missing") == true)
    }

    @Test("An outcome of two levels is binary; its levels are the names of 0 and 1")
    func textOutcome() throws {
        let data = try make(["treatment": "w", "outcome": "answer", "exclude": "gap"])
        #expect(data.outcome.kind == .binary(labels: ["no", "yes"]))
        #expect(data.outcome.values == [1, 0, 0, 1, 0])
        #expect(
            message(["treatment": "w", "outcome": "arm", "outcome_type": "binary"])?.contains(
                "is text with 3 levels (drug, none, placebo)") == true)
        #expect(
            message(["treatment": "w", "outcome": "answer", "outcome_type": "continuous"])?.contains(
                "is text") == true)
    }

    @Test("An outcome of more levels is of classes; numbers are where the spec says so, and so are counts")
    func classesAndCounts() throws {
        let text = try make(["treatment": "w", "outcome": "arm", "exclude": "gap"])
        #expect(text.outcome.kind == .classes(labels: ["drug", "none", "placebo"]))
        let numbers = try make([
            "treatment": "w", "outcome": "y", "outcome_type": "classes", "exclude": "gap",
        ])
        #expect(numbers.outcome.kind.effectClasses.count == Set(numbers.outcome.values).count)
        let count = try make(["treatment": "w", "outcome": "x", "outcome_type": "count", "exclude": "gap"])
        #expect(count.outcome.kind == .count)
        #expect(throws: MetaLearnersError.self) { try Outcome([1, -1], kind: .count) }
        #expect(throws: MetaLearnersError.self) {
            try Outcome([0, 3], kind: .classes(labels: ["a", "b", "c"]))
        }
        #expect(throws: MetaLearnersError.self) { try Outcome([0, 0], kind: .classes(labels: ["a"])) }
    }

    @Test("Numeric outcomes are binary where they are 0 and 1 or where the spec says so")
    func numericOutcome() throws {
        let exclude: SpecValue = ["gap", "w"]
        let auto = try make(["treatment": "answer", "outcome": "w", "exclude": "gap"])
        #expect(auto.outcome.kind == .binary(labels: ["0", "1"]))
        let forced = try make([
            "treatment": "answer", "outcome": "w", "outcome_type": "continuous", "exclude": "gap",
        ])
        #expect(forced.outcome.kind == .continuous)
        let coded = try make([
            "treatment": "answer", "outcome": "weight", "outcome_type": "binary", "exclude": exclude,
        ])
        #expect(coded.outcome.kind == .binary(labels: ["1", "2"]))
        #expect(coded.outcome.values == [0, 0, 1, 1, 0])
        #expect(
            message(["treatment": "w", "outcome": "y", "outcome_type": "binary"])
                == "outcome 'y': has more than two values; set data.outcome_type: continuous")
    }

    @Test("A treatment with missing rows or with too many numbers is refused")
    func badTreatments() throws {
        #expect(
            message(["treatment": "gap", "outcome": "y"])?
                .hasPrefix("treatment 'gap': row index 3 is infinite") == true)
        let missing = try Table([Column("w", [1, .nan, 0]), Column("y", [1, 2, 3])])
        let refusal = #expect(throws: MetaLearnersError.self) {
            try CausalDataset(missing, DataSpec(["treatment": "w", "outcome": "y"]))
        }
        #expect(
            refusal?.description.hasPrefix("treatment 'w': 1 of 3 rows are missing, the first is row index 1")
                == true)
        let many = try Table([
            Column("dose", (0..<300).map { Double($0) / 7 }), Column("y", (0..<300).map { Double($0) }),
        ])
        let error = #expect(throws: MetaLearnersError.self) {
            try CausalDataset(many, DataSpec(["treatment": "dose", "outcome": "y"]))
        }
        #expect(error?.problem.contains("looks continuous") == true)
        let single = try Table([Column("w", [1, 1]), Column("y", [1, 2])])
        let one = #expect(throws: MetaLearnersError.self) {
            try CausalDataset(single, DataSpec(["treatment": "w", "outcome": "y"]))
        }
        #expect(one?.problem == "has one arm only ('1')")
    }

    @Test("One column of propensities does for two arms; more arms need one each")
    func propensities() throws {
        let data = try make(["treatment": "w", "outcome": "y", "propensity": "e", "exclude": "gap"])
        #expect(data.knownPropensities == [[0.5, 0.6, 0.7, 0.8, 0.9], [0.5, 0.4, 0.3, 0.2, 0.1]])
        #expect(data.covariates.column(named: "e") == nil)
        #expect(
            message(["treatment": "arm", "outcome": "y", "propensity": "e", "exclude": "gap"])?.contains(
                "for 3 arms") == true)
        #expect(
            message(["treatment": "w", "outcome": "y", "propensity": "arm"])?.contains("is text") == true)
        #expect(message(["treatment": "w", "outcome": "y", "weight": "arm"])?.contains("is text") == true)
    }
}
