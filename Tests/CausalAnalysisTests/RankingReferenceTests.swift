import CausalAnalysis
import MetaLearnersCore
import Testing
import _TestSupport

@Suite("Rankings against their definitions")
struct RankingReferenceTests {
    @Test("AUTOC, QINI and TOC are those of the definition, with ties and weights")
    func rate() throws {
        var analysis = RATEAnalysis()
        analysis.points = 5
        analysis.replicates = 20
        for entry in try HeterogeneityStudy.all() {
            let result = try analysis.run(entry.study)
            let rates = try entry.byArm(#require(result.table(named: "rates")))
            let curves = try entry.byArm(#require(result.table(named: "toc")))
            for ((known, rows), (_, curve)) in zip(rates, curves) {
                let part = try known.part("rate")
                expectEqual(
                    rows.numbers("estimate"), [try part.number("autoc"), try part.number("qini")], entry.name)
                expectEqual(curve.numbers("estimate"), try part.numbers("toc"), entry.name)
            }
        }
    }

    @Test("Uplift and Qini curves do not hang on the zero of outcomes, though an arm has no first rows")
    func zeroOfOutcomes() throws {
        let (data, given) = try SimulatedStudy.columns(rows: 200, seed: 31)
        func areas(_ shift: Double) throws -> [Double] {
            let moved = try CausalDataset(
                covariates: data.covariates, treatment: data.treatment,
                outcome: Outcome(data.outcome.map { $0 + shift }))
            let means = data.armOutcomes.map { $0.map { $0 + shift } }
            let study = try CausalStudy(
                moved,
                given: GivenColumns(effects: given.effects, propensities: data.propensities, armMeans: means))
            let table = try #require(try UpliftCurvesAnalysis().run(study).table(named: "areas"))
            return (table.numbers("estimate") + table.numbers("std_error")).filter(\.isFinite)
        }
        let plain = try areas(0)
        #expect(plain.count == 8)
        expectEqual(try areas(1000), plain, "1000", tolerance: 1e-7)
    }

    @Test(
        "Uplift and Qini curves and their areas are those of the definition, and of scikit-uplift where it has them"
    )
    func curves() throws {
        var analysis = UpliftCurvesAnalysis()
        analysis.points = 5
        analysis.replicates = 20
        for entry in try HeterogeneityStudy.all() {
            let result = try analysis.run(entry.study)
            let areas = try entry.byArm(#require(result.table(named: "areas")))
            let curves = try entry.byArm(#require(result.table(named: "curves")))
            for ((known, rows), (_, curve)) in zip(areas, curves) {
                let part = try known.part("curves")
                for row in rows {
                    let key = try #require(row["measure"]?.stringValue)
                    if key.hasSuffix("of_perfect"), !entry.study.isBinary {
                        #expect(row["estimate"] == .null && row["note"] != .null)
                    } else {
                        expectEqual(
                            [row["estimate"]?.doubleValue ?? .nan], [try part.number(key)],
                            "\(entry.name), \(key)")
                    }
                }
                expectEqual(curve.numbers("gain"), try part.numbers("gain"), entry.name)
                expectEqual(curve.numbers("qini"), try part.numbers("qini_curve"), entry.name)
                if part.value.objectValue?["scikit_uplift"] != nil {
                    let theirs = try part.numbers("scikit_uplift")
                    expectEqual([rows[2], rows[5]].numbers("estimate"), theirs, entry.name)
                }
            }
        }
    }

    @Test("The order of the rows changes nothing, with ties and weights")
    func rowOrder() throws {
        let (data, given) = try SimulatedStudy.columns(rows: 300, seed: 4)
        let tied = GivenColumns(
            effects: given.effects?.map { $0.map { ($0 * 2).rounded() / 2 } },
            propensities: given.propensities,
            armMeans: given.armMeans)
        let weights = (0..<300).map { Double($0 % 3 + 1) }
        var order = Array(0..<300)
        var stream = RandomStream(seed: 1)
        stream.shuffle(&order)
        func tables(_ order: [Int]) throws -> [[Double]] {
            func taking<Value>(_ list: [Value]) -> [Value] { order.map { list[$0] } }
            let dataset = try CausalDataset(
                covariates: data.covariates.selecting(rows: order.map { Int32($0) }),
                treatment: Treatment(
                    arms: taking(Array(data.treatment.arms)), labels: data.treatment.labels),
                outcome: Outcome(taking(data.outcome)), weights: taking(weights))
            let study = try CausalStudy(
                dataset,
                given: GivenColumns(
                    effects: tied.effects?.map(taking), propensities: tied.propensities?.map(taking),
                    armMeans: tied.armMeans?.map(taking)))
            var numbers: [[Double]] = []
            for (analysis, table) in [
                (RATEAnalysis(), "rates"), (RATEAnalysis(), "toc"), (UpliftCurvesAnalysis(), "areas"),
                (UpliftCurvesAnalysis(), "curves"), (UpliftSlicesAnalysis(), "slices"),
                (GATESAnalysis(), "groups"),
            ] as [(any Analysis, String)] {
                let result = try #require(try analysis.run(study).table(named: table))
                let keys = ["estimate", "uplift", "gain", "qini", "predicted", "difference_in_means"]
                numbers += keys.map { result.numbers($0).filter { !$0.isNaN } }
            }
            return numbers
        }
        for (found, known) in zip(try tables(order), try tables(Array(0..<300))) {
            expectEqual(found, known, "shuffled", tolerance: 1e-12)
        }
    }

    @Test("Threads change nothing, nor does what else is asked")
    func threads() throws {
        let study = try SimulatedStudy.study(rows: 400, seed: 2)
        for analysis in [RATEAnalysis(), UpliftCurvesAnalysis()] as [any Analysis] {
            let one = try analysis.run(study, ExecutionOptions(threads: 1))
            #expect(try analysis.run(study, ExecutionOptions(threads: 4)) == one)
        }
    }

    @Test("Two rankings are compared on the same half-samples")
    func paired() throws {
        let study = try SimulatedStudy.study(rows: 500, seed: 3)
        var analysis = RATEAnalysis()
        analysis.against = "x1"
        let result = try analysis.run(study)
        let rates = try #require(result.table(named: "rates"))
        let estimates = rates.numbers("estimate")
        let errors = rates.numbers("std_error")
        #expect(rates.rows.count == 6)
        expectEqual(
            [estimates[0] - estimates[2], estimates[1] - estimates[3]], Array(estimates[4...]), "difference")
        // The effects are a function of x1 mostly: pairs tell much more than two separate errors would.
        #expect(errors[4] < 0.8 * (errors[0] * errors[0] + errors[2] * errors[2]).squareRoot())
        analysis.against = "x9"
        let error = #expect(throws: MetaLearnersError.self) { try analysis.run(study) }
        #expect(error?.kind == .invalidData && error?.location == "against")
    }

    @Test("A ranking by itself differs from itself by nothing, and without error")
    func same() throws {
        let (data, given) = try SimulatedStudy.columns(rows: 200, seed: 3)
        let column = Column("mine", given.effects?[0] ?? [])
        let study = try CausalStudy(data.dataset, given: given).grouping(
            by: data.covariates.appending(column))
        var analysis = RATEAnalysis()
        analysis.against = "mine"
        let rates = try #require(try analysis.run(study).table(named: "rates"))
        #expect(rates.numbers("estimate")[4...] == [0, 0] && rates.numbers("p_value")[4...] == [1, 1])
    }

    @Test("Who interrupts gets what is done")
    func interrupted() throws {
        let study = try SimulatedStudy.study(rows: 400, seed: 2)
        var analysis = RATEAnalysis()
        analysis.replicates = 2000
        let result = try analysis.run(
            study, ExecutionOptions(threads: 1, progress: { $0.done < 100 }))
        #expect(!result.isComplete && result.table(named: "rates")?.rows.count == 2)
        #expect(result.table(named: "rates")?.numbers("std_error").allSatisfy { $0 > 0 } == true)
        let nothing = #expect(throws: MetaLearnersError.self) {
            try analysis.run(study, ExecutionOptions(threads: 1, progress: { _ in false }))
        }
        #expect(nothing?.kind == .cancelled)
    }

    @Test("Slices of tied rows take their part of all of them")
    func slices() throws {
        let data = try SyntheticDataset.linear(rows: 100, seed: 4)
        let given = GivenColumns(
            effects: [[Double](repeating: 1, count: 100)], propensities: data.propensities,
            armMeans: data.armOutcomes)
        let slices = try #require(
            try UpliftSlicesAnalysis().run(CausalStudy(data.dataset, given: given)).table(named: "slices"))
        let estimates = slices.numbers("estimate")
        #expect(estimates.allSatisfy { abs($0 - estimates[0]) < 1e-12 })
        #expect(slices.column("rows").allSatisfy { $0 == .integer(100) })
    }
}
