import MetaLearnersCore
import Testing

@Suite("Spelling suggestions")
struct SpellingSuggestionTests {
    private let keys = ["learning_rate", "max_depth", "max_leaves", "trees", "l2"]

    @Test(
        "A slip of the finger finds the word that was meant",
        arguments: [
            ("learning_rat", "learning_rate"), ("Learning-Rate", "learning_rate"),
            ("laerning_rate", "learning_rate"),
            ("max_dpeth", "max_depth"), ("tree", "trees"), ("maxleaves", "max_leaves"), ("L2", "l2"),
            ("TREES", "trees"),
        ])
    func near(word: String, meant: String) {
        #expect(SpellingSuggestion.nearest(to: word, in: keys) == meant)
    }

    @Test("Words that resemble none find none", arguments: ["", "xyz", "completely_different", "q"])
    func far(word: String) {
        #expect(SpellingSuggestion.nearest(to: word, in: ["learning_rate", "max_depth"]) == nil)
    }

    @Test("A very long word costs nothing and finds nothing")
    func long() {
        #expect(SpellingSuggestion.nearest(to: String(repeating: "a", count: 100_000), in: keys) == nil)
    }

    @Test("The clause is a question where a word is near, else the list")
    func clause() {
        #expect(SpellingSuggestion.clause(for: "tres", in: keys) == "did you mean 'trees'?")
        #expect(SpellingSuggestion.clause(for: "qqqqqqqqq", in: ["a", "b"]) == "known are a, b")
    }
}
