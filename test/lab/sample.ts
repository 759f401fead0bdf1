import { createConnection } from 'mysql2/promise';
import type { DatabaseService } from '../../scripts/services/service';

/** A small school: enough to see types and to change things. */
const STATEMENTS = [
  'CREATE TABLE cursos (id INT PRIMARY KEY, nome VARCHAR(60) NOT NULL, carga SMALLINT UNSIGNED)',
  `INSERT INTO cursos VALUES (1, 'Odontologia', 4800), (2, 'Medicina', 7200), (3, 'Enfermagem', 4000)`,
  `CREATE TABLE alunos (id BIGINT UNSIGNED PRIMARY KEY, nome VARCHAR(80) NOT NULL, nascimento DATE,
     criado DATETIME(3) NOT NULL)`,
  `INSERT INTO alunos
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
     SELECT i, CONCAT('Aluno ', i), DATE '1990-01-01' + INTERVAL i DAY,
       TIMESTAMP '2026-01-01 08:00:00.5' + INTERVAL i MINUTE FROM n`,
  `CREATE TABLE matriculas (id INT AUTO_INCREMENT PRIMARY KEY, aluno BIGINT UNSIGNED NOT NULL,
     curso INT NOT NULL, valor DECIMAL(12,2) NOT NULL, ativa TINYINT(1) NOT NULL, ficha JSON)`,
  `INSERT INTO matriculas (aluno, curso, valor, ativa, ficha)
     SELECT id, 1 + id % 3, 1000 + id / 4, id % 5 > 0, JSON_OBJECT('turma', CONCAT('T', id % 7))
     FROM alunos`,
];

/** Fills an empty database. */
export async function fillSample({ host, port, user, password, database }: DatabaseService) {
  const connection = await createConnection({ host, port, user, password, database });
  try {
    await connection.query('SET SESSION cte_max_recursion_depth = 10000');
    for (const statement of STATEMENTS) await connection.query(statement);
  } finally {
    await connection.end();
  }
}
