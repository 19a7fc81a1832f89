import LinearEstimators
import MetaLearnersCore
import Testing

/// Models written and read back, and bytes that are no model.
@Suite struct ModelBytesTests {
    struct Item: Sendable, CustomTestStringConvertible {
        let name: String
        let estimator: any BaseEstimator
        let sample: SampleTask
        var testDescription: String { name }

        func model() throws -> any FittedEstimator { try estimator.fit(sample.task(), ExecutionContext()) }
        func decode(_ bytes: ArraySlice<UInt8>) throws(MetaLearnersError) -> any FittedEstimator {
            var reader = BinaryReader(bytes)
            return try type(of: estimator).decode(from: &reader)
        }
    }

    static let items: [Item] = {
        do {
            var collinear = try SampleTask(rows: 30, seed: 4)
            collinear.columns.append(Column("again", collinear.columns[0].values))
            var expanded = RidgeSpec()
            expanded.expansion = .splinesInteractions
            return [
                Item(
                    name: "expanded", estimator: try RidgeEstimator(expanded),
                    sample: try SampleTask(rows: 30, seed: 5)),
                Item(
                    name: "lasso", estimator: try LassoEstimator(), sample: try SampleTask(rows: 30, seed: 6)),
                Item(name: "ols", estimator: try OLSEstimator(), sample: collinear),
                Item(
                    name: "ridge", estimator: try RidgeEstimator(), sample: try SampleTask(rows: 30, seed: 1)),
                Item(
                    name: "logistic", estimator: try LogisticEstimator(LogisticSpec(l2: 1, maxIterations: 1)),
                    sample: try SampleTask(rows: 30, seed: 2, classes: 2)),
                Item(
                    name: "multinomial", estimator: try LogisticEstimator(),
                    sample: try SampleTask(rows: 30, seed: 3, classes: 3)),
            ]
        } catch {
            return []
        }
    }()

    private func bytes(of model: any FittedEstimator) -> [UInt8] {
        var writer = BinaryWriter()
        model.encode(to: &writer)
        return writer.bytes
    }

    @Test("there are models to test") func itemsExist() { #expect(Self.items.count == 6) }

    @Test("a model read back is the same, to the bit", arguments: items)
    func roundTrip(_ item: Item) throws {
        let model = try item.model()
        let written = bytes(of: model)
        let back = try item.decode(written[...])
        let features = try item.sample.table()
        #expect(
            try back.predict(features, rows: nil, ExecutionContext())
                == model.predict(features, rows: nil, ExecutionContext()))
        #expect(back.warnings == model.warnings)
        #expect(back.backendName == model.backendName)
        #expect(back.outputCount == model.outputCount)
        #expect(bytes(of: back) == written)
    }

    @Test("a model cut short anywhere is refused", arguments: items)
    func truncated(_ item: Item) throws {
        let written = try bytes(of: item.model())
        for length in 0..<written.count {
            let error = #expect(throws: MetaLearnersError.self) { try item.decode(written[0..<length]) }
            #expect(error?.kind == .corruptModel)
        }
    }

    @Test(
        "an altered byte gives an error or a model that predicts or fails, and nothing worse",
        arguments: items)
    func altered(_ item: Item) throws {
        let written = try bytes(of: item.model())
        let features = try item.sample.table()
        var refused = 0
        for place in written.indices {
            for mask in [UInt8(0x01), 0x80, 0xFF] {
                var bytes = written
                bytes[place] ^= mask
                do throws(MetaLearnersError) {
                    let model = try item.decode(bytes[...])
                    do throws(MetaLearnersError) {
                        let values = try model.predict(features, rows: [0, 5, 29], ExecutionContext())
                        #expect(values.count == 3 * model.outputCount)
                        #expect(values.allSatisfy { $0.isFinite })
                    } catch {
                        #expect(error.kind == .numericalFailure)
                    }
                } catch {
                    #expect(error.kind == .corruptModel)
                    refused += 1
                }
            }
        }
        #expect(refused > 0)
    }
}
