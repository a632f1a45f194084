using System.Text.Json.Nodes;
using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using Orders.Infrastructure.Failures;
using QueueWorkers.DeadLetters;
using QueueWorkers.Messaging;
using QueueWorkers.Operators;
using QueueWorkers.Redrive.Payloads;
using QueueWorkers.Redrive.Planning;

namespace Orders.Dashboard.Failures;

/// <summary>
/// Who may change what messages say: an admin, whether it is one message or a hundred thousand. A changed message may
/// write, move, copy and test what is personal, and what it does cannot be taken back.
/// </summary>
internal sealed class PatchRight(ISubjectDirectory subjects, IMessageContracts contracts, AuditLog audit)
{
    /// <summary>What somebody is told who may not.</summary>
    public const string Refusal =
        "Changing what messages say needs the role admin, for one message as for many. Redrive them without a patch, or ask an admin.";

    /// <summary>Whether the actor may not apply the patch; that is written down.</summary>
    public async Task<bool> IsRefusedAsync(Actor actor, JsonArray? patch, HttpContext http)
    {
        if (patch is null || actor.Role >= OperatorRole.Admin)
            return false;
        var did = actor.Did("refused", $"{http.Request.Method} {http.Request.Path} with a patch");
        await audit.WriteAsync(
            new AuditEntry
            {
                Who = did.Who,
                Role = did.Role,
                Action = did.Action,
                Target = did.Target,
                Result = "403",
            },
            http.RequestAborted
        );
        return true;
    }

    /// <summary>The answer of the operator API.</summary>
    public static IResult Refused() =>
        ApiProblem.Of(403, "missing-role", "The operator's role does not allow this.", Refusal);

    /// <summary>
    /// Whether a patch tests what not every contract shows: its outcome says something about a masked value, so it needs
    /// what seeing the value needs, an admin's reason and a record.
    /// </summary>
    public bool TestsMasked(JsonArray? patch) =>
        (patch ?? [])
            .OfType<JsonObject>()
            .Any(o => o["op"]?.ToString() == "test" && !Shows(PayloadMask.NamesOf(o["path"]?.ToString() ?? "")));

    /// <summary>A stored patch as everybody may see it.</summary>
    public string? Shown(string? patch) => patch is null ? null : PayloadMask.OfPatch(patch, Shows);

    /// <summary>What a patch would change in a message, with masks on the values wherever the patch brings them.</summary>
    public JsonArray Shown(PlannedDiff planned, JsonArray patch)
    {
        var contract = ShownPayload.ContractOf(planned.MessageType, contracts);
        var traced = JsonNode.Parse(PayloadEdits.DifferencesOf(PayloadMask.Traced(planned.Before, contract), patch));
        return PayloadMask.OfDifferences(traced, contract);
    }

    // By all contracts: one that marks the member is enough to take it for personal.
    private bool Shows(IReadOnlyList<string> path) =>
        subjects.TypesShowing(path).Count is > 0 and var shown
        && contracts.Names.Count(name => contracts.Find(name) is { } type && PersonalMembers.Has(type, path)) == shown;
}
