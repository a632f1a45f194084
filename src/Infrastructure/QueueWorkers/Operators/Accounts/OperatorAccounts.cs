using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;

namespace QueueWorkers.Operators.Accounts;

/// <summary>
/// Makes and changes the accounts of operators, through <see cref="AccountFunctions"/>. Each change takes the secret of
/// the acting admin and the reason, and writes its audit record in the same transaction.
/// </summary>
public sealed partial class OperatorAccounts(NpgsqlDataSource database)
{
    /// <summary>Makes an operator.</summary>
    /// <param name="acting">The secret of the acting admin's session or key.</param>
    /// <param name="reason">Why.</param>
    /// <param name="name">The new operator's name.</param>
    /// <param name="role">The new operator's role.</param>
    /// <param name="password">The password; null for an operator that has keys only.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    public async Task CreateAsync(
        byte[] acting,
        string reason,
        string name,
        OperatorRole role,
        string? password,
        CancellationToken cancellationToken
    )
    {
        if (!Names().IsMatch(name))
            throw Invalid(
                "An operator's name has 1 to 64 characters out of a–z, 0–9, '.', '_', '-' and '@', and begins with a letter or digit."
            );
        CheckRole(role);
        var hash = password is null ? null : await HashAsync(password, name);
        await RunAsync(
            "select operator_create($1, $2, $3, $4, $5)",
            cancellationToken,
            Bytes(acting),
            Text(GroupCommit.PersonalText.Of(reason)),
            Text(name),
            Number(role),
            Text(hash)
        );
    }

    /// <summary>Gives an operator another role; the operator's sessions end.</summary>
    /// <param name="acting">The secret of the acting admin's session or key.</param>
    /// <param name="reason">Why.</param>
    /// <param name="name">Whose.</param>
    /// <param name="version">The version that the admin has seen; null to change any.</param>
    /// <param name="role">The new role.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    public Task ChangeRoleAsync(
        byte[] acting,
        string reason,
        string name,
        int? version,
        OperatorRole role,
        CancellationToken cancellationToken
    )
    {
        CheckRole(role);
        return ChangeAsync(acting, reason, name, version, role, null, null, cancellationToken);
    }

    /// <summary>Disables an operator, whose sessions end and whose keys are refused; or enables one again.</summary>
    /// <param name="acting">The secret of the acting admin's session or key.</param>
    /// <param name="reason">Why.</param>
    /// <param name="name">Whom.</param>
    /// <param name="version">The version that the admin has seen; null to change any.</param>
    /// <param name="disabled">Whether to disable.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    public Task SetDisabledAsync(
        byte[] acting,
        string reason,
        string name,
        int? version,
        bool disabled,
        CancellationToken cancellationToken
    ) => ChangeAsync(acting, reason, name, version, null, disabled, null, cancellationToken);

    /// <summary>Gives an operator another password; the operator's sessions end, and a lock ends.</summary>
    /// <param name="acting">The secret of the acting admin's session or key.</param>
    /// <param name="reason">Why.</param>
    /// <param name="name">Whose.</param>
    /// <param name="version">The version that the admin has seen; null to change any.</param>
    /// <param name="password">The new password.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    public async Task ResetPasswordAsync(
        byte[] acting,
        string reason,
        string name,
        int? version,
        string password,
        CancellationToken cancellationToken
    ) =>
        await ChangeAsync(
            acting,
            reason,
            name,
            version,
            null,
            null,
            await HashAsync(password, name),
            cancellationToken
        );

    /// <summary>Changes the operator's own password; all other sessions of the operator end.</summary>
    /// <param name="session">The secret of the operator's session.</param>
    /// <param name="operator">The operator.</param>
    /// <param name="present">The present password.</param>
    /// <param name="next">The new password.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>False when the present password is wrong.</returns>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    public async Task<bool> ChangeOwnPasswordAsync(
        byte[] session,
        OperatorAccount @operator,
        string present,
        string next,
        CancellationToken cancellationToken
    )
    {
        if (
            @operator.PasswordHash is not { } stored
            || await Task.Run(() => OperatorPassword.ProofOf(present, stored), cancellationToken) is not { } proof
        )
            return false;
        if (present == next)
            throw Invalid("The new password is the present one. Choose another.");
        return await AskAsync<bool>(
            "select operator_own_password($1, $2, $3)",
            cancellationToken,
            Bytes(session),
            Bytes(proof),
            Text(await HashAsync(next, @operator.Name))
        );
    }

    private Task<object> ChangeAsync(
        byte[] acting,
        string reason,
        string name,
        int? version,
        OperatorRole? role,
        bool? disabled,
        string? hash,
        CancellationToken cancellationToken
    ) =>
        RunAsync(
            "select operator_change($1, $2, $3, $4, $5, $6, $7)",
            cancellationToken,
            Bytes(acting),
            Text(GroupCommit.PersonalText.Of(reason)),
            Text(name),
            new() { Value = (object?)version ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer },
            role is { } given ? Number(given) : new() { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Smallint },
            new() { Value = (object?)disabled ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Boolean },
            Text(hash)
        );

    private static async Task<string> HashAsync(string password, string name) =>
        PasswordRules.ProblemOf(password, name) is { } problem
            ? throw Invalid(problem)
            : await Task.Run(() => OperatorPassword.Hash(password));

    private Task<object> RunAsync(
        string sql,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    ) => AskAsync<object>(sql, cancellationToken, parameters);

    private Task<T> AskAsync<T>(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters) =>
        AccountRefusedException.UnwrapAsync(async () =>
        {
            await using var command = database.CreateCommand(sql);
            command.Parameters.AddRange(parameters);
            return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
        });

    private static NpgsqlParameter Bytes(byte[] value) => new() { Value = value };

    private static NpgsqlParameter Number(OperatorRole role) => new() { Value = (short)role };

    private static NpgsqlParameter Text(string? value) =>
        new()
        {
            Value = (object?)GroupCommit.StorableText.OfNullable(value) ?? DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.Text,
        };

    private static void CheckRole(OperatorRole role)
    {
        if (!Enum.IsDefined(role))
            throw Invalid($"There is no role {role}. Expected {string.Join(", ", Enum.GetNames<OperatorRole>())}.");
    }

    private static AccountRefusedException Invalid(string message) => new(AccountRefusal.Invalid, message);

    [GeneratedRegex("^[a-z0-9][a-z0-9._@-]{0,63}\\z")]
    private static partial Regex Names();
}
