using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using QueueWorkers.Outbox;

namespace Orders.Architecture.Tests;

/// <summary>
/// What crosses a process boundary is pinned: queues hold messages of the last version while the next one starts, so a
/// change has to be one on purpose.
/// Adding a member is harmless; renaming, removing or retyping one is not.
/// </summary>
public sealed class ContractTests
{
    private const string Approve = "APPROVE_CONTRACTS";

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static IEnumerable<Type> Types => Messages.Contracts;

    [TestCaseSource(nameof(Types))]
    public void A_contract_is_what_was_approved(Type contract)
    {
        var path = Path.Combine(Repository.Root, "tests/Architecture.Tests/approved", $"{contract.Name}.json");
        var found = Describe(contract);
        if (Environment.GetEnvironmentVariable(Approve) == "true")
            File.WriteAllText(path, found);

        var approved = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        Assert.That(
            found,
            Is.EqualTo(approved),
            () =>
                $"""
                    {contract.Name} is not what was approved. Messages of the approved shape may be in queues and in the outbox while the new version starts.
                    Found:
                    {found}
                    If the change is meant, and old messages can still be read: {Approve}=true dotnet test tests/Architecture.Tests, and commit the file.
                    """
        );
    }

    [Test]
    public void Nothing_approved_has_disappeared()
    {
        var approved = Repository
            .Find("tests/Architecture.Tests/approved", "*.json")
            .Select(Path.GetFileNameWithoutExtension);
        Assert.That(approved, Is.EquivalentTo(Types.Select(t => t.Name)));
    }

    [TestCaseSource(nameof(Types))]
    public void A_contract_is_a_sealed_immutable_record_in_a_file_of_its_own(Type contract)
    {
        Assert.That(contract.IsSealed, "sealed");
        Assert.That(contract.GetMethod("<Clone>$"), Is.Not.Null, "a record");
        Assert.That(File.Exists(Path.Combine(Repository.Root, "src/Contracts", $"{contract.Name}.cs")), "file");
    }

    private static string Describe(Type contract)
    {
        var nullability = new NullabilityInfoContext();
        var members = contract
            .GetProperties()
            .ToDictionary(
                p => JsonNamingPolicy.CamelCase.ConvertName(p.Name),
                p =>
                    NameOf(p.PropertyType)
                    + (nullability.Create(p).ReadState == NullabilityState.Nullable ? ", may be null" : "")
            );
        return JsonSerializer
                .Serialize(
                    new
                    {
                        exchange = MessageName.ExchangeOf(contract),
                        type = MessageName.UrnOf(contract),
                        members,
                    },
                    Indented
                )
                .ReplaceLineEndings("\n") + "\n";
    }

    private static string NameOf(Type type) =>
        type switch
        {
            _ when Nullable.GetUnderlyingType(type) is { } inner => NameOf(inner),
            { IsGenericType: true } => $"list of {NameOf(type.GetGenericArguments()[0])}",
            _ => type.Name,
        };
}
