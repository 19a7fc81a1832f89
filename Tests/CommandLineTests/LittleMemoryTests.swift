import Testing

/// Data files under a limit of address space: an answer or an error, never an end of the process.
struct LittleMemoryTests {
    @Test("a data file that memory is too short for is an error that says so, whatever its columns")
    func limits() throws {
        let folder = try TemporaryFolder()
        let spec = try folder.file(
            "spec.yaml",
            """
            data: {treatment: w, outcome: y, categorical: [name]}
            learner: t
            models: {outcome: {backend: constant}, propensity: {backend: constant}}
            cross_fitting: {folds: 2}
            """)
        func rows(_ count: Int) -> String {
            (0..<count).map {
                "\($0 % 2),\($0 % 7).25,\(Double($0) * 1.000_1),\($0 * 7919),n\($0 % 50_021)\n"
            }
            .joined()
        }
        let small = try folder.file("small.csv", "w,y,x,z,name\n" + rows(40))
        let large = try folder.file("large.csv", "w,y,x,z,name\n" + rows(300_000))
        var refused = 0
        for megabytes in stride(from: 120, through: 360, by: 20) {
            func run(_ file: String) throws -> Program.Outcome {
                try Program.shell(
                    "ulimit -v \(megabytes << 10); OPENBLAS_NUM_THREADS=1 '\(Program.executable)' ate '\(spec)' '\(file)' --threads 1 --quiet"
                )
            }
            guard try run(small).status == 0 else { continue }
            let outcome = try run(large)
            #expect(outcome.status == 0 || outcome.status == 4, "\(megabytes) MiB: \(outcome.error)")
            if outcome.status == 4 {
                refused += 1
                #expect(outcome.error.contains("memory"), "\(outcome.error)")
            }
        }
        #expect(refused > 0)
    }
}
